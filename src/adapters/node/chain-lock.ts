/**
 * One writer, or any number of readers, per chain directory: flock on a file in it. The kernel ends the lock with the
 * process, so a lock left by SIGKILL or a power cut never blocks. The file has the pid of the writer; one that closed its
 * chain with everything durable has taken it out.
 */
import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AteError } from '../../engine/error.js'
import { errnoOf, fileError } from './file-error.js'
import { lockFile } from './libc/lock.js'

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
export const LOCK_NAME = 'lock'
const MAX_PID_BYTES = 32

export interface ChainLock {
  /** Everything is durable: whoever waits for this process to end may say so. */
  finish(): void
  release(): void
}

export interface ChainLockOptions {
  /** Shares the lock with other readers, and makes no file where none can be made. */
  readOnly: boolean
}

/** Takes the lock at once or throws CHAIN_LOCKED, naming the holder. Also CHAIN_NOT_FOUND, ACCESS_DENIED, READ_ONLY, INPUT_OUTPUT. */
export function lockChain(directory: string, { readOnly }: ChainLockOptions): ChainLock {
  const fd = openLock(join(directory, LOCK_NAME), readOnly)
  if (fd === undefined) return { finish: () => {}, release: () => {} }
  try {
    const outcome = lockFile(fd, readOnly ? 'shared' : 'alone')
    if (outcome === 'held-elsewhere') throw chainLocked(fd)
    if (outcome === 'failed') throw new AteError('INPUT_OUTPUT', 'The directory of the log cannot be locked.')
    if (!readOnly) writePid(fd)
  } catch (error) {
    closeSync(fd)
    throw fileError('lock', 'the log', error)
  }
  let isHeld = true
  return {
    finish: () => {
      if (isHeld && !readOnly) ftruncateSync(fd, 0)
    },
    release: () => {
      if (isHeld) closeSync(fd)
      isHeld = false
    },
  }
}

/** Undefined for a reader where no writer has ever been or can be: there is nothing to wait for. */
function openLock(path: string, readOnly: boolean): number | undefined {
  try {
    return openSync(path, (readOnly ? O_RDONLY : O_RDWR | O_CREAT) | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (error) {
    const isAbsent = errnoOf(error) === 'ENOENT'
    if (isAbsent && readOnly) return undefined
    if (isAbsent) throw new AteError('CHAIN_NOT_FOUND', 'There is no directory of that chain.', { cause: error })
    throw fileError('open', 'the lock of the log', error)
  }
}

/** The last writer's pid. Undefined when it ended well, and for what cannot be read. */
export function readLockPid(directory: string): number | undefined {
  let fd: number | undefined
  try {
    fd = openSync(join(directory, LOCK_NAME), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    return readPid(fd)
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function readPid(fd: number): number | undefined {
  const bytes = new Uint8Array(MAX_PID_BYTES)
  const text = Buffer.from(bytes.buffer, 0, readSync(fd, bytes, 0, MAX_PID_BYTES, 0)).toString('latin1')
  const digits = /^\d+/.exec(text)?.[0]
  return digits === undefined ? undefined : Number(digits)
}

function chainLocked(fd: number): AteError {
  const pid = readPid(fd)
  const holder = pid === undefined ? 'another process' : `process ${pid}`
  return new AteError('CHAIN_LOCKED', `The chain is open in ${holder}.`, { hint: 'Close or unmount it there first.' })
}

function writePid(fd: number): void {
  ftruncateSync(fd, 0)
  writeSync(fd, Buffer.from(`${process.pid}\n`), 0, undefined, 0)
}
