/**
 * System calls on /dev/fuse, raw: results or negative errno, no exceptions, no allocation (koffi's calls cost 0.2 us less
 * than those of node:fs). Nothing blocks.
 */
import { closeSync, constants } from 'node:fs'
import { constants as system } from 'node:os'
import { lastErrno, libcFunction, watchReadable, type ReadableWatch } from './load.js'

const F_SETFL = 4

export class FuseDevice {
  /** -1: closed. Then nothing is read or written, whatever the number stands for by now. */
  #fd: number
  readonly #read: (fd: number, buffer: Uint8Array, length: number) => number
  readonly #write: (fd: number, buffer: Uint8Array, length: number) => number

  constructor(fd: number) {
    this.#fd = fd
    this.#read = libcFunction('int64_t read(int fd, void *buffer, size_t length)')
    this.#write = libcFunction('int64_t write(int fd, const void *buffer, size_t length)')
    const fcntl: (fd: number, command: number, flags: number) => number = libcFunction(
      'int fcntl(int fd, int command, int flags)',
    )
    fcntl(fd, F_SETFL, constants.O_RDWR | constants.O_NONBLOCK)
  }

  /** One request; -EAGAIN when there is none. */
  read(target: Uint8Array): number {
    if (this.#fd < 0) return -system.errno.ENODEV
    const length = this.#read(this.#fd, target, target.length)
    return length < 0 ? -lastErrno() : length
  }

  write(source: Uint8Array, length: number): number {
    if (this.#fd < 0) return -system.errno.ENODEV
    const written = this.#write(this.#fd, source, length)
    return written < 0 ? -lastErrno() : written
  }

  /** Calls `onReadable` from the event loop while there is a request, or the mount is gone. */
  watch(onReadable: () => void): ReadableWatch {
    return watchReadable(this.#fd, onReadable)
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }
}
