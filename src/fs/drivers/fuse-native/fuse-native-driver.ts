/**
 * The driver on the fuse-native package (libfuse 2). It serves less than the direct driver: docs/conformance.md has the
 * list and the reasons.
 */
import { AteError, isAteError } from '../../../engine/error.js'
import type { Driver } from '../driver.js'
import { detach } from '../direct/mount/detach.js'
import { attributeOperations, extendedOperations } from './attribute-operations.js'
import { loadBinding } from './binding.js'
import { Context } from './context.js'
import { fileOperations } from './file-operations.js'
import { mountEnd } from './mount-end.js'
import { mountOptions } from './mount-options.js'
import { nameOperations } from './name-operations.js'

export const fuseNativeDriver: Driver = async (fileSystem, options) => {
  // The end of a mount is seen in /proc.
  if (process.platform !== 'linux') throw new AteError('FUSE_UNAVAILABLE', 'the driver fuse-native runs on Linux only')
  const isRoot = process.geteuid?.() === 0
  const words = mountOptions(options, isRoot)
  const mount = await loadBinding()
  const x = new Context(fileSystem, options)
  const operations = { ...nameOperations(x), ...fileOperations(x), ...attributeOperations(x) }
  try {
    await mount(options.mountpoint, words, operations, extendedOperations(x))
  } catch (cause) {
    throw mountFailure(cause, options.mountpoint)
  }
  const ended = mountEnd(options.mountpoint)
  const end = async ({ lazy = false }: { lazy?: boolean } = {}): Promise<void> => {
    await detach(options.mountpoint, { lazy })
    await ended
  }
  // It has no way to tell the kernel anything: what that remembers is short-lived.
  const invalidate = (): void => x.paths.forgetDirectories()
  return { name: 'fuse-native', ended, unmount: end, invalidate }
}

/** The package says no more than that it failed; libfuse has written why on the standard error. */
function mountFailure(cause: unknown, mountpoint: string): AteError {
  if (isAteError(cause)) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  if (/in use/i.test(why)) return new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use`, { cause })
  if (/exist|not a directory/i.test(why)) {
    return new AteError('MOUNTPOINT_UNUSABLE', `the mountpoint ${mountpoint} is not an existing directory`, { cause })
  }
  return new AteError('MOUNT_REFUSED', `libfuse could not mount at ${mountpoint}`, {
    hint: 'It needs /dev/fuse, and for ordinary users the program fusermount. --driver direct says more.',
    cause,
  })
}
