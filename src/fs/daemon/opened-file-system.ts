/** What a mount needs of the file system of its chain, and tells it. */
import type { MergeReport } from '../vfs/merge/merger.js'
import type { Tail } from '../vfs/merge/tail.js'
import type { FileSystemOptions } from '../vfs/options.js'
import type { ChangedElsewhere, FileSystem } from '../vfs/types.js'
import type { SharedFileSystem } from './shared-receiver.js'

/** A file system that has a last commit to do. */
export interface OpenedFileSystem extends FileSystem, SharedFileSystem {
  /** Changes that are not in the view's current transaction yet. */
  readonly dirtyBytes: number
  /** Told what others changed. */
  onChangedElsewhere: (changed: ChangedElsewhere) => void
  /** Brings what was set aside together with what others have made. As `Merger.merge`. */
  merge(tail: Tail): Promise<MergeReport | undefined>
  /** Commits everything and stops its timers. Rejects with WRITE_FAILED. */
  close(): Promise<void>
}

/** What a file system must know of the others that change it. */
export type Sharing = Pick<FileSystemOptions, 'writer' | 'writers' | 'synced' | 'references'>
