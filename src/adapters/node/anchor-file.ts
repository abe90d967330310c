/**
 * The anchor in a small file outside the log's directory. It is overwritten in place at every commit without a sync: the
 * page cache survives the process, and the machine's crash may take the anchor back a little, which only weakens it.
 */
import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { AnchorStore } from '../../engine/log/types.js'
import { errnoOf, fileError } from './file-error.js'
import { readFully, writeFully } from './file-segment.js'
import { makeDirectory } from './make-directory.js'

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
/** More than any anchor has: whoever reads it sees that it is too long. */
const MAX_BYTES = 1024

export interface AnchorFileOptions {
  /** Never makes or writes the file. */
  readOnly?: boolean
}

export class AnchorFile implements AnchorStore {
  readonly #path: string
  readonly #isReadOnly: boolean
  #fd: number | undefined

  constructor(path: string, { readOnly = false }: AnchorFileOptions = {}) {
    this.#path = path
    this.#isReadOnly = readOnly
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const fd = (this.#fd ??= openSync(this.#path, (this.#isReadOnly ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK))
      const bytes = new Uint8Array(MAX_BYTES)
      return bytes.slice(0, readFully(fd, 0, bytes, 0, MAX_BYTES))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw fileError('read', 'the anchor', error)
    }
  }

  write(content: Uint8Array): void {
    if (this.#isReadOnly) return
    try {
      const fd = (this.#fd ??= this.#create())
      writeFully(fd, 0, content, content.length)
    } catch (error) {
      throw fileError('write', 'the anchor', error)
    }
  }

  sync(): void {
    if (this.#fd === undefined || this.#isReadOnly) return
    try {
      fsyncSync(this.#fd)
    } catch (error) {
      throw fileError('sync', 'the anchor', error)
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #create(): number {
    makeDirectory(dirname(this.#path), 0o700)
    return openSync(this.#path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  }
}
