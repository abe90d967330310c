/**
 * A mount made for an ordinary user by fusermount3, which is set-user-id root: it opens /dev/fuse, mounts, and sends the
 * descriptor back over a socket that the environment variable _FUSE_COMMFD names.
 */
import { closeSync } from 'node:fs'
import { receivedDescriptor, socketPair } from '../../../../adapters/node/libc/received-descriptor.js'
import { AteError } from '../../../../engine/error.js'
import { checkDevice } from './fuse-device.js'
import { toolError } from './mount-errors.js'
import type { MountTarget } from './mount-target.js'
import { runTool } from './run-tool.js'

/** Where runTool puts the descriptor it is given. */
const SOCKET_IN_TOOL = '3'

/** An open /dev/fuse that is one end of the mount. Fails with FUSE_UNAVAILABLE, MOUNT_REFUSED, MOUNTPOINT_BUSY, MOUNTPOINT_UNUSABLE, BAD_OPTION. */
export async function mountAsUser(target: MountTarget): Promise<number> {
  checkDevice()
  const sockets = socketPair()
  if (typeof sockets === 'number') throw new AteError('MOUNT_REFUSED', `no socket can be made (errno ${-sockets})`)
  const [ours, theirs] = sockets
  try {
    const args = ['-o', toolOptions(target), '--', target.mountpoint]
    const result = await runTool('fusermount3', args, { _FUSE_COMMFD: SOCKET_IN_TOOL }, theirs)
    const fd = result.status === 0 ? receivedDescriptor(ours) : undefined
    if (fd === undefined) throw toolError(result, target.mountpoint)
    return fd
  } finally {
    closeSync(ours)
    closeSync(theirs)
  }
}

/** Exported for its test. */
export function toolOptions(target: MountTarget): string {
  const options = [`fsname=${escaped(target.fsName)}`, `subtype=${target.subtype}`, 'default_permissions']
  if (target.readOnly) options.push('ro')
  if (target.allowOther) options.push('allow_other')
  // The kernel's default, and not known to every fusermount3.
  options.push(...target.kernelOptions.filter((option) => option !== 'relatime'))
  return options.join(',')
}

/** A comma would begin the next option. */
function escaped(value: string): string {
  return value.replaceAll(/[\\,]/g, '\\$&')
}
