/** Open files of the emulated kernel: each keeps a reference to its inode until it is closed. */
import type { FileSystem, Ino } from '../../../src/fs/vfs/types.js'
import { O_APPEND, O_RDWR, O_TMPFILE, O_WRONLY } from './constants.js'
import { failure } from './vfs-failure.js'

export interface Handle {
  readonly ino: Ino
  readonly isDirectory: boolean
  readonly canRead: boolean
  readonly canWrite: boolean
  readonly appends: boolean
  /** Made by O_TMPFILE: may get a name though it has none. */
  readonly isTemporary: boolean
  /** Byte offset, or a directory's cookie. */
  position: number
}

export class Handles {
  readonly #fs: FileSystem
  readonly #open = new Map<number, Handle>()
  #next = 3

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  /** Synchronous: the reference is taken in the same turn as the answer it belongs to. */
  open(ino: Ino, flags: number, isDirectory: boolean): number {
    this.#fs.retain(ino)
    const access = flags & (O_WRONLY | O_RDWR)
    const canRead = access !== O_WRONLY
    const appends = (flags & O_APPEND) !== 0
    const isTemporary = (flags & O_TMPFILE) === O_TMPFILE
    this.#open.set(this.#next, { ino, isDirectory, canRead, canWrite: access !== 0, appends, isTemporary, position: 0 })
    return this.#next++
  }

  get(fd: number, call: string): Handle {
    const handle = this.#open.get(fd)
    if (handle === undefined) throw failure('EBADF', call)
    return handle
  }

  readable(fd: number, call: string): Handle {
    const handle = this.get(fd, call)
    if (!handle.canRead) throw failure('EBADF', call)
    if (handle.isDirectory) throw failure('EISDIR', call)
    return handle
  }

  writable(fd: number, call: string): Handle {
    const handle = this.get(fd, call)
    if (!handle.canWrite) throw failure('EBADF', call)
    return handle
  }

  close(fd: number): void {
    const { ino } = this.get(fd, 'close')
    this.#open.delete(fd)
    this.#fs.release(ino, 1)
  }
}
