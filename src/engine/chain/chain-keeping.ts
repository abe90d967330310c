/** What can be done with the log of an open chain as a whole. */

/** How far a copy is. */
export interface CopyProgress {
  /** What is being done. */
  phase: 'copying' | 'verifying'
  /** Of this phase. */
  doneBytes: number
  /** Of this phase. */
  totalBytes: number
}

/** How a backup is made. */
export interface BackupOptions {
  /** ABORTED then; the backup that was there before is as it was. */
  signal?: AbortSignal | undefined
  /** Called a few times a second. */
  onProgress?: ((progress: CopyProgress) => void) | undefined
  /**
   * For a chain without a passphrase, which has its key in a file: true copies that file, and who has the backup can read it;
   * false leaves it out, and the backup is worth nothing without it.
   */
  withKey?: boolean | undefined
  /** Does not read again what earlier backups copied. */
  quick?: boolean | undefined
}

/** What a backup has. */
export interface BackupReport {
  /** Of the last batch in the backup; 0 for none. */
  sequence: number
  /** Files of the log in the backup. */
  segments: number
  /** Their bytes. */
  bytes: number
  /** Of these, files that this backup has written. */
  copiedSegments: number
  /** The bytes that it has written. */
  copiedBytes: number
}

/** What is exported of a log. */
export interface ExportOptions {
  /** Sequence of the first batch. The default is 1. */
  from?: number | undefined
  /** Of the last batch. Undefined: up to the end. */
  to?: number | undefined
  /**
   * An export from batch 1 brings the keyring, so that a chain can be made of it. For a chain without a passphrase: true
   * brings the key, and who has the export can read it; false leaves it out.
   */
  withKey?: boolean | undefined
}

export interface ChainKeeping {
  /** Begins a new segment: everything committed so far lies in closed ones. NO_SPACE, READ_ONLY. */
  rotate(): Promise<void>
  /**
   * Copies everything committed so far to a directory, where a backup of the chain may lie already: then what is new. The chain
   * can be used meanwhile. Verified when it resolves. ABORTED, BAD_ARGUMENT, CHAIN_FORKED, CHAIN_LOCKED, CHAIN_NEWER,
   * INPUT_OUTPUT, NOT_A_CHAIN, NO_SPACE, OTHER_CHAIN: the backup before is as it was.
   */
  backup(directory: string, options?: BackupOptions): Promise<BackupReport>
  /** A range of the log, sealed as it is, in pieces. BAD_ARGUMENT for one that the log has not; CHAIN_DAMAGED. */
  exportRange(options?: ExportOptions): AsyncIterable<Uint8Array>
}
