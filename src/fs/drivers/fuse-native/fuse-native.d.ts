/** The part of fuse-native 2.2.6 that is used; the package has no types of its own. Paths and names are UTF-8. */
declare module 'fuse-native' {
  /** Negative errno, or what the operation returns. */
  export type Reply = (result: number) => void
  export type ReplyWith<T> = (errno: number, value?: T) => void

  export interface FuseStatFs {
    bsize: number
    frsize: number
    blocks: number
    bfree: number
    bavail: number
    files: number
    ffree: number
    favail: number
    namemax: number
  }

  export interface FuseOperations {
    statfs: (path: string, reply: ReplyWith<FuseStatFs>) => void
    readdir: (
      path: string,
      reply: (errno: number, names?: string[], stats?: { mode: number; ino: number }[]) => void,
    ) => void
    readlink: (path: string, reply: ReplyWith<string>) => void
    open: (path: string, flags: number, reply: ReplyWith<number>) => void
    create: (path: string, mode: number, reply: ReplyWith<number>) => void
    release: (path: string, handle: number, reply: Reply) => void
    flush: (path: string, handle: number, reply: Reply) => void
    fsync: (path: string, dataOnly: number, handle: number, reply: Reply) => void
    fsyncdir: (path: string, dataOnly: number, handle: number, reply: Reply) => void
    read: (path: string, handle: number, target: Buffer, length: number, offset: number, reply: Reply) => void
    write: (path: string, handle: number, data: Buffer, length: number, offset: number, reply: Reply) => void
    truncate: (path: string, size: number, reply: Reply) => void
    ftruncate: (path: string, handle: number, size: number, reply: Reply) => void
    utimens: (path: string, atimeMs: number, mtimeMs: number, reply: Reply) => void
    chmod: (path: string, mode: number, reply: Reply) => void
    chown: (path: string, uid: number, gid: number, reply: Reply) => void
    mknod: (path: string, mode: number, device: number, reply: Reply) => void
    mkdir: (path: string, mode: number, reply: Reply) => void
    rmdir: (path: string, reply: Reply) => void
    unlink: (path: string, reply: Reply) => void
    rename: (from: string, to: string, reply: Reply) => void
    link: (from: string, to: string, reply: Reply) => void
    symlink: (target: string, path: string, reply: Reply) => void
    removexattr: (path: string, name: string, reply: Reply) => void
  }

  /** Answers a request of the library: a result, then what it asked for. */
  export type Signal = (result: number, ...values: unknown[]) => void

  class Fuse {
    /** The library is told of the operations that are there, whatever they are. */
    constructor(mountpoint: string, operations: object, options: { timeout: false })
    mount(callback: (error: Error | null) => void): void
  }
  export default Fuse
}
