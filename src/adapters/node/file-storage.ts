/**
 * A log in a directory. Everything works synchronously inside its promises: the log has a worker thread of its own, where
 * a turn through the thread pool would only cost time. Refuses links and everything else that is not a regular file.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AteError } from '../../engine/error.js'
import type { LogStorage, SegmentFile, SegmentReader } from '../../engine/log/storage.js'
import { errnoOf, fileError } from './file-error.js'
import { FileReader } from './file-reader.js'
import { FileSegment, readFully } from './file-segment.js'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const FILE_MODE = 0o600
const OPEN_FLAGS = { read: O_RDONLY, append: O_RDWR, create: O_RDWR | O_CREAT | O_EXCL }

export class FileStorage implements LogStorage {
  readonly #directory: string
  readonly #isReadBack: boolean

  /** `directory` need not exist until something is read or written. `isReadBack`: what is written is read soon after. */
  constructor(directory: string, { isReadBack = false } = {}) {
    this.#directory = directory
    this.#isReadBack = isReadBack
  }

  async list(): Promise<string[]> {
    try {
      const entries = readdirSync(this.#directory, { withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    } catch (error) {
      throw this.#absent() ?? fileError('list', 'the directory of the log', error)
    }
  }

  async readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const fd = this.#openIfThere(name)
    if (fd === undefined) return undefined
    try {
      const { size } = fstatSync(fd)
      if (size > maxBytes)
        throw new AteError('BAD_FORMAT', `The file ${name} has ${size} bytes; at most ${maxBytes} can be.`)
      const bytes = new Uint8Array(size)
      return bytes.subarray(0, readFully(fd, 0, bytes, 0, size))
    } catch (error) {
      throw fileError('read', name, error)
    } finally {
      closeSync(fd)
    }
  }

  async replaceSmall(name: string, content: Uint8Array): Promise<void> {
    const path = this.#path(name)
    const temporary = `${path}.new`
    try {
      removeIfThere(temporary)
      writeWhole(temporary, content)
      renameSync(temporary, path)
    } catch (error) {
      tryRemove(temporary)
      throw fileError('replace', name, error)
    }
    try {
      this.#syncDirectory()
    } catch (cause) {
      // The new file is there, or may be: that is no full disk, after which all would be as before.
      throw new AteError('INPUT_OUTPUT', `The file ${name} was replaced, but not surely for good.`, { cause })
    }
  }

  async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const fd = this.#open(name, OPEN_FLAGS[mode])
    try {
      if (mode === 'create') this.#syncDirectory()
      return new FileSegment(fd, name, this.#isReadBack)
    } catch (error) {
      closeSync(fd)
      throw fileError('make', name, error)
    }
  }

  openReader(name: string): SegmentReader {
    return new FileReader(this.#open(name, O_RDONLY), name)
  }

  async remove(name: string): Promise<void> {
    try {
      removeIfThere(this.#path(name))
    } catch (error) {
      throw fileError('remove', name, error)
    }
  }

  #openIfThere(name: string): number | undefined {
    try {
      return openRegular(this.#path(name), O_RDONLY)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fileError('open', name, error)
      const absent = this.#absent()
      if (absent !== undefined) throw absent
      return undefined
    }
  }

  #open(name: string, flags: number): number {
    try {
      return openRegular(this.#path(name), flags)
    } catch (error) {
      if (errnoOf(error) === 'EEXIST')
        throw new AteError('CHAIN_EXISTS', `The file ${name} is there already.`, { cause: error })
      throw fileError('open', name, error)
    }
  }

  #absent(): AteError | undefined {
    if (existsSync(this.#directory)) return undefined
    return new AteError('CHAIN_NOT_FOUND', `There is no directory ${this.#directory}.`)
  }

  #path(name: string): string {
    if (!/^[\w-][\w.-]*$/.test(name))
      throw new AteError('BAD_ARGUMENT', `A log has no file of the name ${JSON.stringify(name)}.`)
    return join(this.#directory, name)
  }

  #syncDirectory(): void {
    const fd = openSync(this.#directory, O_RDONLY | O_DIRECTORY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** Without O_NONBLOCK, opening a FIFO put in a file's place would wait for ever. */
function openRegular(path: string, flags: number): number {
  const fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, FILE_MODE)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new Error('not a regular file')
}

function writeWhole(path: string, content: Uint8Array): void {
  const fd = openRegular(path, OPEN_FLAGS.create)
  try {
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at, content.length - at, at)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** When something else has failed already and that is what counts. */
function tryRemove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It was never made, or cannot be removed either: the next replacement tries again.
  }
}
