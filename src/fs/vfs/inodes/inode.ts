/**
 * An inode in memory. One class with all fields always present: what the drivers read as `Attributes` is the live object,
 * and a fixed shape keeps every access a plain load. Changed only by this directory's modules.
 */
import type { Extent } from '../records/extent-record.js'
import type { DirtyPieces } from '../content/dirty-pieces.js'
import type { Attributes, Ino } from '../types.js'
import { S_IFDIR, S_IFMT, S_IFREG } from './modes.js'
import type { Clock } from '../clock.js'

/** Where a file's committed content is. */
export const CONTENT_NONE = 0
/** One extent starting at 0, named in the inode itself. */
export const CONTENT_INLINE = 1
/** Extent records. */
export const CONTENT_RECORDS = 2
/** Of a file that was deleted elsewhere while it is in use here: extents in memory, no record. It can be read, not changed. */
export const CONTENT_KEPT = 3

/** Which extended attributes exist, so that the common questions need no look into the index. */
export const XATTR_ANY = 1
export const XATTR_ACCESS_ACL = 2
export const XATTR_DEFAULT_ACL = 4
export const XATTR_CAPABILITY = 8
export const XATTR_FLAGS = 15

export class Inode implements Attributes {
  readonly ino: Ino
  mode: number
  nlink = 0
  uid = 0
  gid = 0
  rdev = 0
  /** Directories: the number of entries. Symbolic links: the target's length. */
  size = 0
  /** Bytes of committed content. */
  allocated = 0
  atimeSec = 0
  atimeNsec = 0
  mtimeSec = 0
  mtimeNsec = 0
  ctimeSec = 0
  ctimeNsec = 0
  birthSec = 0
  birthNsec = 0
  /** The directory it was last linked into: exact for directories, a hint for everything else. 0: none. */
  parent: Ino = 0
  xattrs = 0
  /** Symbolic links. */
  target: Uint8Array | undefined = undefined

  content = CONTENT_NONE
  /** CONTENT_INLINE: where the extent lies. */
  body = 0
  bodyOffset = 0
  bodyLength = 0
  /** CONTENT_KEPT: what the records said. */
  kept: readonly Extent[] | undefined = undefined
  /** No committed extent reaches beyond this offset. */
  extentEnd = 0
  /** Content not committed yet. */
  pieces: DirtyPieces | undefined = undefined

  /** Differs from its record. */
  isDirty = false
  /** Only the access time differs: written with the next other change, on eviction, or at close. */
  isAtimeDirty = false
  /** A record of it exists (in this transaction or before). */
  isStored = false
  isOrphanRecorded = false

  constructor(ino: Ino, mode: number) {
    this.ino = ino
    this.mode = mode
  }

  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR
  }

  get isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG
  }

  /** Uncommitted bytes may replace committed ones: what the file holds is at most what fits below its size. */
  get blocks(): number {
    const bytes = this.pieces === undefined ? this.allocated : this.allocated + this.pieces.bytes
    return Math.ceil(Math.min(bytes, this.size) / 512)
  }

  setChanged(clock: Clock): void {
    this.ctimeSec = clock.sec
    this.ctimeNsec = clock.nsec
  }

  setModified(clock: Clock): void {
    this.mtimeSec = clock.sec
    this.mtimeNsec = clock.nsec
    this.ctimeSec = clock.sec
    this.ctimeNsec = clock.nsec
  }

  setAccessed(clock: Clock): void {
    this.atimeSec = clock.sec
    this.atimeNsec = clock.nsec
  }
}
