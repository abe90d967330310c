/**
 * What can be said about a chain's directory from outside, without its key: is there a chain, how is it opened, and may it
 * lie where it lies. The layout is in `docs/format.md`.
 */
import { readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AteError } from '../../engine/error.js'
import { MOUNT_TYPE, readMountTable } from './mount-table.js'

/** 'absent': nothing there, or a creation that did not get as far as its first segment. */
export type ChainPresence = 'absent' | 'passphrase' | 'key-file'

/** What a creation that was interrupted may leave behind. */
const UNFINISHED = new Set(['lock', 'key', 'keyring', 'index'])

/** Fails with NOT_A_CHAIN for a directory of something else, ACCESS_DENIED, or NOT_A_CHAIN for a file. */
export function examineChainDirectory(directory: string): ChainPresence {
  const names = listDirectory(directory)
  if (names.includes('manifest') || names.some((name) => name.endsWith('.seg'))) {
    return names.includes('key') ? 'key-file' : 'passphrase'
  }
  if (names.every((name) => UNFINISHED.has(name) || name.endsWith('.new'))) return 'absent'
  throw new AteError('NOT_A_CHAIN', `${directory} holds something else than a chain`, {
    hint: 'Give the directory that holds chains with --log-path, and the name of the chain as the second argument.',
  })
}

function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw new AteError('NOT_A_CHAIN', `${directory} is not a directory`, { cause })
    throw new AteError('ACCESS_DENIED', `cannot read the directory ${directory} (${code})`, { cause })
  }
}

/**
 * The daemon must never need its own mount to reach its files, or both wait for each other for ever. Fails with
 * BAD_ARGUMENT when one of `directories` lies inside `mountpoint` or below another mount of ours, or the mountpoint inside
 * the chain.
 */
export function checkPlaces(mountpoint: string, chainDirectory: string, directories: readonly string[]): void {
  const mounts = readMountTable().filter((entry) => entry.type === MOUNT_TYPE)
  for (const directory of [chainDirectory, ...directories]) {
    const place = realPlace(directory)
    if (isWithin(place, mountpoint)) {
      throw new AteError('BAD_ARGUMENT', `${directory} lies inside the mountpoint ${mountpoint}`, {
        hint: 'The log, its anchors and the runtime directory must lie outside: choose another --log-path or mountpoint.',
      })
    }
    const mount = mounts.find((entry) => isWithin(place, entry.mountpoint))
    if (mount !== undefined) {
      throw new AteError('BAD_ARGUMENT', `${directory} lies inside the chain mounted at ${mount.mountpoint}`, {
        hint: 'A log inside a mounted chain can block both: choose another --log-path.',
      })
    }
  }
  if (isWithin(mountpoint, realPlace(chainDirectory))) {
    throw new AteError('BAD_ARGUMENT', `the mountpoint ${mountpoint} lies inside the chain's own directory`)
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)
}

/** The real path, of what does not exist yet too. */
function realPlace(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPlace(parent), basename(path))
  }
}
