/** Whether a chain and what belongs to it may lie where they lie. */
import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AteError } from '../../engine/error.js'
import { MOUNT_TYPE, readMountTable } from './mount-table.js'

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
