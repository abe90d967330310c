/**
 * The kernel's list of mounts, read from /proc/self/mountinfo (proc(5)): the only way to learn about a mount without
 * touching it. A stat of a mountpoint whose daemon is dead or stuck would fail or hang.
 */
import { readFileSync } from 'node:fs'

export interface MountTableEntry {
  mountpoint: string
  /** For us 'fuse.atefs'. */
  type: string
  source: string
  /** The minor number of its device: for FUSE the number of its connection. */
  minor: number
  /** Options of the file system itself: for FUSE with user_id=. */
  superOptions: string
}

export const MOUNT_TYPE = 'fuse.atefs'

/** All mounts this process can see, in the order they were made: of several on one place the last one is on top. */
export function readMountTable(): MountTableEntry[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
}

/** The top mount at exactly this place. */
export function findMount(
  mountpoint: string,
  table: readonly MountTableEntry[] = readMountTable(),
): MountTableEntry | undefined {
  return table.findLast((entry) => entry.mountpoint === mountpoint)
}

/**
 * Lines of: id, parent, device, root, mountpoint, options, any number of tagged fields, '-', type, source, super options.
 * Lines of another shape are left out.
 */
export function parseMountInfo(text: string): MountTableEntry[] {
  const entries: MountTableEntry[] = []
  for (const line of text.split('\n')) {
    const fields = line.split(' ')
    const separator = fields.indexOf('-', 6)
    const mountpoint = fields[4]
    const minor = Number(fields[2]?.split(':')[1])
    const [type, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1)
    if (mountpoint === undefined || type === undefined || source === undefined) continue
    entries.push({
      mountpoint: unescape(mountpoint),
      type,
      source: unescape(source),
      minor,
      superOptions: superOptions ?? '',
    })
  }
  return entries
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
