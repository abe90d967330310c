/** Unmounting, in another process: the kernel may ask us something before it lets go. */
import { AteError } from '../../../../engine/error.js'
import type { MountedDevice } from './mount-target.js'
import { runTool } from './run-tool.js'

/** Fails with MOUNTPOINT_BUSY, NOT_MOUNTED, or MOUNTPOINT_UNUSABLE with what the system's tool said. */
export async function unmount(mountpoint: string, device: MountedDevice, lazy: boolean): Promise<void> {
  const result = device.asUser
    ? await runTool('fusermount3', ['-u', ...(lazy ? ['-z'] : []), '--', mountpoint])
    : await runTool('umount', ['-i', ...(lazy ? ['-l'] : []), '--', mountpoint])
  if (result.status === 0) return
  if (/busy/i.test(result.message)) {
    throw new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use`, {
      hint: 'Close the programs that use it and try again.',
    })
  }
  if (/not mounted|not found in|no mount point/i.test(result.message)) {
    throw new AteError('NOT_MOUNTED', `nothing is mounted at ${mountpoint}`)
  }
  const said = result.startError ?? result.message
  throw new AteError('MOUNTPOINT_UNUSABLE', `cannot unmount ${mountpoint}: ${said}`)
}
