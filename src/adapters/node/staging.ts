/**
 * A directory beside that of a chain, in which what takes its place is made. One at a time, whether the chain is there yet or
 * not; what somebody who was interrupted left in it is removed.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AteError } from '../../engine/error.js'
import { lockFile } from './libc/lock.js'
import { makeDirectory } from './make-directory.js'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

export interface Staging {
  readonly path: string
  /** Removes what is still there, and lets others come. */
  end(): Promise<void>
}

/** CHAIN_LOCKED while somebody else stages there. */
export async function beginStaging(path: string): Promise<Staging> {
  makeDirectory(path, 0o700)
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  // The one before may have put it into its place as we opened it.
  if (lockFile(fd, 'alone') === 'held-elsewhere' || !isAt(path, fd)) {
    closeSync(fd)
    throw new AteError('CHAIN_LOCKED', 'Something is being put into the place of this chain already.', {
      hint: 'Try again when that is done.',
    })
  }
  const end = async (): Promise<void> => {
    try {
      if (isAt(path, fd)) await rm(path, { recursive: true, force: true })
    } finally {
      closeSync(fd)
    }
  }
  try {
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true })
  } catch (error) {
    await end()
    throw error
  }
  return { path, end }
}

/** False when something else, or nothing, is at that name. */
function isAt(path: string, fd: number): boolean {
  const [there, held] = [statSync(path, { throwIfNoEntry: false }), fstatSync(fd)]
  return there !== undefined && there.ino === held.ino && there.dev === held.dev
}
