/**
 * Known servers in a file: lines `host:port key`, only ever added at the end, by one write each, so that programs can share
 * it without a lock. The first line for a server counts.
 */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { toLatin1 } from '../../engine/bytes/latin1.js'
import { AteError } from '../../engine/error.js'
import { type KnownServers, parseServerKeyId, type ServerKeyId } from '../../wire/index.js'
import { errnoOf, fileError } from './file-error.js'
import { readFully } from './file-segment.js'
import { makeDirectory } from './make-directory.js'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
/** Some 10,000 servers. */
const MAX_BYTES = 1024 * 1024
const OTHERS_CAN_WRITE = 0o022

export class KnownServersFile implements KnownServers {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** ACCESS_DENIED when others can write the file, BAD_FORMAT for a line that is none. */
  async find(server: string): Promise<ServerKeyId | undefined> {
    return this.#with(O_RDONLY, (fd) => this.#read(fd).get(server))
  }

  /** As `find`; NO_SPACE. BAD_ARGUMENT for a name that cannot stand in a line. */
  async remember(server: string, key: ServerKeyId): Promise<ServerKeyId> {
    if (!/^[\x21-\x7e]{1,300}$/.test(server)) throw new AteError('BAD_ARGUMENT', 'This is no name of a server.')
    makeDirectory(dirname(this.#path), 0o700)
    const kept = this.#with(O_RDWR | O_APPEND | O_CREAT, (fd) => {
      const known = this.#read(fd).get(server)
      if (known !== undefined) return known
      this.#append(fd, `${server} ${key}\n`)
      // Another program may have added it first.
      return this.#read(fd).get(server)
    })
    return kept ?? key
  }

  #with<T>(flags: number, use: (fd: number) => T): T | undefined {
    let fd: number | undefined
    try {
      fd = openSync(this.#path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600)
      return use(fd)
    } catch (error) {
      if (fd === undefined && errnoOf(error) === 'ENOENT') return undefined
      throw error instanceof AteError ? error : fileError('read', 'the file of known servers', error)
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  #append(fd: number, line: string): void {
    const { size } = fstatSync(fd)
    try {
      const bytes = new TextEncoder().encode(line)
      if (writeSync(fd, bytes) < bytes.length) throw new AteError('NO_SPACE', 'A server could not be remembered.')
      fsyncSync(fd)
    } catch (error) {
      // Half a line would make the whole file unusable.
      ftruncateSync(fd, size)
      throw error
    }
  }

  #read(fd: number): Map<string, ServerKeyId> {
    const { mode, size, uid } = fstatSync(fd)
    if ((mode & OTHERS_CAN_WRITE) !== 0 || (uid !== 0 && uid !== process.geteuid?.())) {
      throw new AteError('ACCESS_DENIED', `Others can write ${this.#path}.`, {
        hint: 'Look at what it holds, then give it to yourself with mode 600.',
      })
    }
    if (size > MAX_BYTES) throw new AteError('BAD_FORMAT', `${this.#path} is too large.`)
    const keys = new Map<string, ServerKeyId>()
    const bytes = new Uint8Array(size)
    const lines = toLatin1(bytes.subarray(0, readFully(fd, 0, bytes, 0, size))).split('\n')
    lines.forEach((line, at) => {
      if (line === '') return
      const [server = '', key = '', ...rest] = line.split(' ')
      if (rest.length > 0 || !/^[0-9a-f]{64}$/.test(key)) {
        throw new AteError('BAD_FORMAT', `Line ${at + 1} of ${this.#path} is no server and its key.`, {
          hint: 'Correct or remove the line.',
        })
      }
      if (!keys.has(server)) keys.set(server, parseServerKeyId(key))
    })
    return keys
  }
}
