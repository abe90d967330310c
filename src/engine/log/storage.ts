/**
 * Where a log lives: a flat set of named files. Implementations: memory (`memory-storage.ts`), a directory
 * (`adapters/node/file-storage.ts`), and a fault-injecting one in the tests. All pass `test/contract/log-storage.ts`.
 *
 * Writes and syncs are asynchronous by type (browsers have nothing else); the Node one runs in a worker thread of its
 * own and works synchronously inside. Reads of sealed bodies are synchronous where the storage can.
 */
export interface LogStorage {
  /** Names of all files, in no order. */
  list(): Promise<string[]>
  /** The whole of a small file (manifest, keyring); undefined when absent. Refuses files above `maxBytes` with BAD_FORMAT. */
  readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined>
  /** Replaces a small file atomically and durably: after a crash the old content or the new, never a mix, never none. */
  replaceSmall(name: string, content: Uint8Array): Promise<void>
  /** Opens a segment file (INPUT_OUTPUT if absent); `create` makes a new one (CHAIN_EXISTS if there) with a durable name. */
  openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile>
  /** Opens a segment file for reads without a turn of the event loop. Throws INPUT_OUTPUT when it cannot be opened. */
  openReader(name: string): SegmentReader
  /** Removes a file; absent is fine. May be undone by a crash. */
  remove(name: string): Promise<void>
}

export interface SegmentReader {
  /** Fills `target` from `targetStart` with up to `length` bytes at `position`; returns how many there were. Throws INPUT_OUTPUT. */
  readSync(position: number, target: Uint8Array, targetStart: number, length: number): number
  /** Forgets what was read before it was asked for, which later writes may have changed. False: there is nothing of that kind. */
  forgetAhead(): boolean
  close(): void
}

export interface SegmentFile {
  /** Current length in bytes, reserved space included. */
  size(): Promise<number>
  /** Everything from here on reads as zero, and nothing of it needs to be read to know that. At most the size. */
  dataEnd(): Promise<number>
  /** Up to `length` bytes at `position`; fewer at the end. They lie at the start of `into` when that has so many. INPUT_OUTPUT. */
  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  /** Writes all parts, one after another, at `position`. Throws NO_SPACE or INPUT_OUTPUT; then the range is undefined. */
  write(position: number, parts: readonly Uint8Array[]): Promise<void>
  /** What was written is on the medium when this resolves (fdatasync). */
  sync(): Promise<void>
  /** As `sync`, for what was written when it is called, on another thread where there is one. */
  syncInBackground(): Promise<void>
  /** Makes sure that writing up to `length` cannot fail for space; throws NO_SPACE. Content there reads as zero. */
  reserve(length: number): Promise<void>
  /** Writes zeros over [from, to), so that syncs of that range which come after the next one change no file-system metadata. */
  zero(from: number, to: number): Promise<void>
  truncate(length: number): Promise<void>
  /**
   * Gives back the space of what lies in [from, to), as far as it can be: every byte of it reads as zero or as before, none
   * outside changes, and the size stays. False where it cannot be done; behind the end that is all it tells.
   */
  punch(from: number, to: number): Promise<boolean>
  close(): Promise<void>
}
