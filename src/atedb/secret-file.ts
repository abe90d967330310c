/**
 * A secret of the server in a file of its own: three lines, mode 0600, made once and never written again (docs/format.md,
 * Secrets of a server). The check tells a damaged one from another one.
 */
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf, fileError } from '../adapters/node/file-error.js'
import { readFully } from '../adapters/node/file-segment.js'
import { makeDirectory } from '../adapters/node/make-directory.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { syncDirectory } from '../adapters/node/replace-directory.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { fromHex, toHex } from '../engine/bytes/hex.js'
import { toLatin1 } from '../engine/bytes/latin1.js'
import { AteError } from '../engine/error.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const MAX_BYTES = 1024
const OTHERS = 0o077
const CHECK_BYTES = 8

/** What the first line says, and how long the secret is. */
export interface SecretKind {
  readonly title: string
  readonly bytes: number
}

export const IDENTITY: SecretKind = { title: 'atefs server identity 1', bytes: 64 }
export const STORAGE: SecretKind = { title: 'atefs server storage 1', bytes: 32 }

/** The secret in the file, which is made when there is none. BAD_FORMAT; ACCESS_DENIED also when others can read it. */
export function loadOrMakeSecret(path: string, kind: SecretKind): Uint8Array {
  return loadSecret(path, kind) ?? makeSecret(path, kind, nativeCrypto.randomBytes(kind.bytes))
}

/** A copy of a secret. BAD_ARGUMENT when another one is there; as `loadOrMakeSecret`. */
export function keepSecret(path: string, kind: SecretKind, secret: Uint8Array): void {
  if (equalBytes(loadSecret(path, kind) ?? makeSecret(path, kind, secret), secret)) return
  throw new AteError('BAD_ARGUMENT', `${path} is of another server: give this one a backup path of its own.`)
}

/** Undefined when there is none. As `loadOrMakeSecret`. */
export function loadSecret(path: string, kind: SecretKind): Uint8Array | undefined {
  let fd: number | undefined
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw bad(path)
    if ((stats.mode & OTHERS) !== 0) {
      const hint = `If nobody has read it: chmod 600 ${path}`
      throw new AteError('ACCESS_DENIED', `Others can read the secret in ${path}.`, { hint })
    }
    if (stats.size > MAX_BYTES) throw bad(path)
    const bytes = new Uint8Array(stats.size)
    return parseSecret(toLatin1(bytes.subarray(0, readFully(fd, 0, bytes, 0, stats.size))), kind, path)
  } catch (error) {
    if (fd === undefined && errnoOf(error) === 'ENOENT') return undefined
    throw fileError('read', path, error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function parseSecret(text: string, kind: SecretKind, path: string): Uint8Array {
  const [title, secretLine = '', checkLine = '', end, ...more] = text.split('\n')
  const secret = /^secret ([0-9a-f]+)$/.exec(secretLine)?.[1] ?? ''
  if (title !== kind.title || secret.length !== 2 * kind.bytes || end !== '' || more.length > 0) throw bad(path)
  const bytes = fromHex(secret)
  if (checkLine !== `check ${checkOf(bytes)}`) throw bad(path)
  return bytes
}

/** A whole file or none, and never in the place of another. */
function makeSecret(path: string, kind: SecretKind, secret: Uint8Array): Uint8Array {
  const temporary = `${path}.${process.pid}.new`
  try {
    makeDirectory(dirname(path), 0o700)
    write(temporary, `${kind.title}\nsecret ${toHex(secret)}\ncheck ${checkOf(secret)}\n`)
    try {
      linkSync(temporary, path)
    } finally {
      unlinkSync(temporary)
    }
    syncDirectory(dirname(path))
    return secret
  } catch (error) {
    // Another server that shares it was faster.
    const made = errnoOf(error) === 'EEXIST' ? loadSecret(path, kind) : undefined
    if (made !== undefined) return made
    throw fileError('make', path, error)
  }
}

function write(path: string, text: string): void {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    const bytes = new TextEncoder().encode(text)
    if (writeSync(fd, bytes) < bytes.length) throw new AteError('NO_SPACE', `There is no space for ${path}.`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function checkOf(secret: Uint8Array): string {
  return toHex(nativeCrypto.sha256(secret).subarray(0, CHECK_BYTES))
}

function bad(path: string): AteError {
  return new AteError('BAD_FORMAT', `${path} is not a secret of this server, or is damaged.`, {
    hint: 'Put back a copy of it. With another identity every client that knows this server refuses it.',
  })
}
