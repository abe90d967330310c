/** Whether what lies at /dev/fuse is the device: anything else can be opened and fails in mount(2) without a reason. */
import { statSync, type Stats } from 'node:fs'
import { notTheDevice } from './mount-errors.js'

/** Character device 10:229 (Documentation/admin-guide/devices.txt of Linux). */
const MAJOR = 10
const MINOR = 229

/** Fails with FUSE_UNAVAILABLE. One that is absent or out of reach is told by whoever opens it. */
export function checkDevice(): void {
  let stats: Stats
  try {
    stats = statSync('/dev/fuse')
  } catch {
    return
  }
  const what = whatItIs(stats)
  if (what !== undefined) throw notTheDevice(what)
}

function whatItIs(stats: Stats): string | undefined {
  if (!stats.isCharacterDevice()) return stats.isDirectory() ? 'a directory' : stats.isFile() ? 'a file' : 'no device'
  const [major, minor] = [(stats.rdev >> 8) & 0xfff, stats.rdev & 0xff]
  return major === MAJOR && minor === MINOR ? undefined : `the device ${major}:${minor}`
}
