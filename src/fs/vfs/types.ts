/**
 * What drivers see of the file system: inode-level operations with the caller's identity, in numbers and bytes.
 * A method answers with a value, or with a promise when it must wait: a cached answer costs no turn of the event loop.
 * All fail with AteError; `errno.ts` turns its code into an errno at the driver's edge.
 */

/** Inode number: integer in [1, 2^53). The root is 1. */
export type Ino = number

export const ROOT_INO: Ino = 1

/**
 * A file name: bytes, one per character (latin1). Never text: a name that is not UTF-8 must survive.
 * 1 to 255 bytes, no NUL, no '/'.
 */
export type Name = string & { readonly __name: never }

export type Answer<T> = T | Promise<T>

/** Who asks. The object may be reused by the driver after the call returns: read it at once. */
export interface Caller {
  uid: number
  gid: number
  pid: number
}

/** Attributes as stat(2) gives them. Times are whole seconds (may be negative) and nanoseconds. Live: read at once. */
export interface Attributes {
  readonly ino: Ino
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  /** Linux dev_t in the 32-bit encoding FUSE uses. */
  readonly rdev: number
  readonly size: number
  /** 512-byte units. */
  readonly blocks: number
  readonly atimeSec: number
  readonly atimeNsec: number
  readonly mtimeSec: number
  readonly mtimeNsec: number
  readonly ctimeSec: number
  readonly ctimeNsec: number
  readonly birthSec: number
  readonly birthNsec: number
}

export type TimeChange = 'now' | { sec: number; nsec: number }

/** Absent means unchanged. */
export interface AttributeChange {
  mode?: number
  uid?: number
  gid?: number
  size?: number
  atime?: TimeChange
  mtime?: TimeChange
  /** The kernel asks that setuid, setgid and capabilities be cleared (HANDLE_KILLPRIV_V2). */
  clearPrivileges?: boolean
}

export interface MakeNode {
  /** Type and permission bits. */
  mode: number
  rdev: number
  /** The caller's umask, applied here (a default ACL replaces it). */
  umask: number
}

/** Receives one directory entry; false when it did not fit and the listing must stop before it. */
export type EntrySink = (name: Name, ino: Ino, type: number, cookie: number) => boolean

export interface FileSystemStatistics {
  blockBytes: number
  blocks: number
  freeBlocks: number
  availableBlocks: number
  files: number
  freeFiles: number
  maxNameBytes: number
}

export interface WriteOptions {
  /** Clear setuid, setgid and capabilities (FUSE_WRITE_KILL_SUIDGID). */
  clearPrivileges: boolean
  /** Given: it is written at the end of the file, wherever that is when it is written, which is told. */
  onAppended?: (offset: number) => void
}

/** rename2(2) flags. */
export const RENAME_NOREPLACE = 1
export const RENAME_EXCHANGE = 2
export const RENAME_WHITEOUT = 4

/** fallocate(2) modes served. */
export const FALLOC_KEEP_SIZE = 0x01
export const FALLOC_PUNCH_HOLE = 0x02
export const FALLOC_ZERO_RANGE = 0x10

export const SEEK_DATA = 3
export const SEEK_HOLE = 4

/** Of a file's content: [from, to). */
export interface ContentRange {
  readonly from: number
  readonly to: number
}

/** What another machine changed, of what this one's kernel may remember. */
export interface ChangedElsewhere {
  /** Names that mean something else now, or nothing. `gone`: what a name meant, when that does not exist any more. */
  readonly entries: readonly { readonly parent: Ino; readonly name: Name; readonly gone: Ino | undefined }[]
  /** Directories whose listing changed. */
  readonly directories: readonly Ino[]
  /** Inodes whose attributes changed, and of files the content there, if any did. */
  readonly inodes: readonly { readonly ino: Ino; readonly content: ContentRange | undefined }[]
}

export interface FileSystem {
  /** The entry's attributes; undefined when there is none (hot: no error object). '.' and '..' are understood. */
  lookup(parent: Ino, name: Name): Answer<Attributes | undefined>
  getAttributes(ino: Ino): Answer<Attributes>
  setAttributes(ino: Ino, change: AttributeChange, caller: Caller): Answer<Attributes>
  readLink(ino: Ino): Answer<Uint8Array>

  /** Regular files, FIFOs, sockets and devices. */
  makeNode(parent: Ino, name: Name, node: MakeNode, caller: Caller): Answer<Attributes>
  makeDirectory(parent: Ino, name: Name, mode: number, umask: number, caller: Caller): Answer<Attributes>
  makeSymlink(parent: Ino, name: Name, target: Uint8Array, caller: Caller): Answer<Attributes>
  /** O_TMPFILE: a file without a name, alive while retained. */
  makeTemporary(parent: Ino, mode: number, umask: number, caller: Caller): Answer<Attributes>
  link(ino: Ino, parent: Ino, name: Name, caller: Caller): Answer<Attributes>
  unlink(parent: Ino, name: Name, caller: Caller): Answer<void>
  removeDirectory(parent: Ino, name: Name, caller: Caller): Answer<void>
  rename(parent: Ino, name: Name, newParent: Ino, newName: Name, flags: number, caller: Caller): Answer<void>

  /** Fills `target` from `targetStart`; returns the bytes read, fewer only at the end of the file. */
  read(ino: Ino, offset: number, length: number, target: Uint8Array, targetStart: number): Answer<number>
  /** `data` may be reused after the call returns (or its promise resolves). Returns the bytes written: all of them. */
  write(ino: Ino, offset: number, data: Uint8Array, options: WriteOptions): Answer<number>
  /** `caller` decides about setuid, setgid and capabilities: they stay for root, whoever else clears them. Absent: cleared. */
  allocate(ino: Ino, mode: number, offset: number, length: number, caller?: Caller): Answer<void>
  seek(ino: Ino, offset: number, whence: number): Answer<number>
  /** Privileges as with `allocate`. May copy less than asked for. */
  copyRange(
    source: Ino,
    sourceOffset: number,
    target: Ino,
    targetOffset: number,
    length: number,
    caller?: Caller,
  ): Answer<number>

  /**
   * Entries after `cookie` (0 starts) in the order of their cookies, '.' and '..' first. Cookies are stable while an
   * entry exists, whatever happens beside it. `attributes` of a listed entry can be had by getAttributes at once.
   */
  readDirectory(ino: Ino, cookie: number, sink: EntrySink): Answer<void>

  getExtendedAttribute(ino: Ino, name: string): Answer<Uint8Array | undefined>
  /** flags: XATTR_CREATE 1, XATTR_REPLACE 2. */
  setExtendedAttribute(
    ino: Ino,
    name: string,
    value: Uint8Array,
    flags: number,
    caller: Caller,
    clearSetgid: boolean,
  ): Answer<void>
  /** NUL-terminated names, concatenated. Without trusted attributes, unless `caller` is root or absent. */
  listExtendedAttributes(ino: Ino, caller?: Caller): Answer<Uint8Array>
  removeExtendedAttribute(ino: Ino, name: string, caller: Caller): Answer<void>

  /** Never blocks. */
  statistics(): FileSystemStatistics

  /** Everything answered before this call is durable when it resolves. */
  sync(): Promise<void>

  /**
   * References from outside (the kernel's lookup count, open handles): an inode without a name lives while it has any.
   * `retain` is synchronous with the answer it belongs to.
   */
  retain(ino: Ino): void
  release(ino: Ino, count: number): void
}
