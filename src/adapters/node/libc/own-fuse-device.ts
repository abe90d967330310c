/**
 * For a thread that a mount's kernel side may keep in a write for as long as a request is not answered: an end of the mount of its own, in a
 * table of descriptors of its own. A process that is killed meanwhile cannot end while the thread is there, but lets go of its
 * descriptors: the kernel then fails the requests that it had taken, which ends the write, and with the thread the mount is over.
 * With descriptors in common nobody would ever answer (Linux, fs/fuse/dev.c: fuse_dev_release).
 */
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { libcFunction } from './load.js'

const CLONE_FILES = 0x400
/** _IOR(229, 0, uint32_t) of linux/fuse.h. */
const FUSE_DEV_IOC_CLONE = 0x8004e500
const OWN_TABLE = '/proc/thread-self/fd'

/** `fd`: the mount's /dev/fuse. What is to be written to: `fd` itself, where the kernel does not let us have another. */
export function ownFuseDevice(fd: number): number {
  const unshare: (flags: number) => number = libcFunction('int unshare(int flags)')
  if (unshare(CLONE_FILES) !== 0) return fd
  const own = clonedDevice(fd) ?? fd
  closeOthers(own)
  return own
}

function clonedDevice(fd: number): number | undefined {
  const ioctl: (fd: number, request: number, argument: Uint8Array) => number = libcFunction(
    'int ioctl(int fd, unsigned long request, const void *argument)',
  )
  let device: number
  try {
    device = openSync('/dev/fuse', 'r+')
  } catch {
    return undefined
  }
  if (ioctl(device, FUSE_DEV_IOC_CLONE, new Uint8Array(Uint32Array.of(fd).buffer)) === 0) return device
  closeSync(device)
  return undefined
}

/** Files, locks and connections end when the others close them. Pipes and events are what this thread and the others talk with. */
function closeOthers(own: number): void {
  const close: (fd: number) => number = libcFunction('int close(int fd)')
  for (const name of readdirSync(OWN_TABLE)) {
    const fd = Number(name)
    if (fd > 2 && fd !== own && /^(\/|socket:)/.test(targetOf(fd))) close(fd)
  }
}

function targetOf(fd: number): string {
  try {
    return readlinkSync(`${OWN_TABLE}/${fd}`)
  } catch {
    return ''
  }
}
