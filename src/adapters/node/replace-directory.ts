/** Puts a directory in the place of another one: a crash leaves the one or the other there, whole. */
import { closeSync, constants, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileError } from './file-error.js'
import { exchangeNames } from './libc/exchange.js'
import { LOCK_NAME } from './chain-lock.js'
import { makeDirectory } from './make-directory.js'

const { O_DIRECTORY, O_RDONLY } = constants

/**
 * What was at `place` lies at `aside` then, and never at another name; undefined when there was nothing. A crash before it is
 * done may leave the new one at `aside`; where names cannot be exchanged at once, nothing at `place` and both beside it.
 * Throws ACCESS_DENIED, INPUT_OUTPUT, ...
 */
export function replaceDirectory(staged: string, place: string, aside: string): string | undefined {
  try {
    const parent = dirname(place)
    syncDirectory(staged)
    if (!isAnythingAt(place)) {
      renameSync(staged, place)
      syncDirectory(parent)
      return undefined
    }
    // Who stages deletes what is at `staged`: the old one must never be there.
    renameSync(staged, aside)
    if (!exchangeNames(aside, place)) {
      renameSync(aside, staged)
      renameSync(place, aside)
      renameOrUndo(staged, place, () => renameSync(aside, place))
    }
    syncDirectory(parent)
    return aside
  } catch (error) {
    throw fileError('put in place', 'the directory of the chain', error)
  }
}

function renameOrUndo(from: string, to: string, undo: () => void): void {
  try {
    renameSync(from, to)
  } catch (error) {
    undo()
    throw error
  }
}

/** A name beside `path` that nothing has. */
export function freeName(path: string, suffix: string): string {
  for (let number = 1; ; number++) {
    const name = `${path}.${suffix}${number === 1 ? '' : `-${number}`}`
    if (!existsSync(name)) return name
  }
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A directory that is empty, but for the lock of who asks, is nothing: it is removed. */
function isAnythingAt(path: string): boolean {
  if (!existsSync(path)) {
    makeDirectory(dirname(path), 0o700)
    return false
  }
  if (readdirSync(path).some((name) => name !== LOCK_NAME)) return true
  rmSync(path, { recursive: true })
  return false
}
