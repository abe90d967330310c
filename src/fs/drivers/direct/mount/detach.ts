/**
 * Takes a mount out of the tree by the system's tools: as root umount(8), else fusermount3 (or fusermount of FUSE 2). In
 * another process, because the kernel may ask the file system something before it lets go.
 */
import { AteError } from '../../../../engine/error.js'
import { runTool } from './run-tool.js'

export interface DetachOptions {
  /** Also when it is in use: it disappears now, and ends when the last user lets go. */
  lazy: boolean
}

/** Fails with MOUNTPOINT_BUSY, NOT_MOUNTED, or MOUNTPOINT_UNUSABLE with what the system's tool said. */
export async function detach(mountpoint: string, { lazy }: DetachOptions): Promise<void> {
  let complaint = 'no tool to do it'
  for (const [program, ...args] of commands(lazy)) {
    const { status, startError, message } = await runTool(program, [...args, '--', mountpoint])
    if (status === 0) return
    if (startError === 'ENOENT') continue
    if (/busy/i.test(message)) {
      throw new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use`, {
        hint: 'Close the programs that use it and try again.',
      })
    }
    if (/not mounted|not found in|no mount point/i.test(message)) {
      throw new AteError('NOT_MOUNTED', `nothing is mounted at ${mountpoint}`)
    }
    complaint = startError ?? message
  }
  throw new AteError('MOUNTPOINT_UNUSABLE', `cannot unmount ${mountpoint}: ${complaint}`, {
    hint: 'Unmounting needs fusermount3 (Debian: apt install fuse3) or root.',
  })
}

function commands(lazy: boolean): [string, ...string[]][] {
  const umount: [string, ...string[]] = lazy ? ['umount', '-i', '-l'] : ['umount', '-i']
  const fusermount = lazy ? ['-u', '-z'] : ['-u']
  const all: [string, ...string[]][] = [
    ['fusermount3', ...fusermount],
    ['fusermount', ...fusermount],
  ]
  return process.geteuid?.() === 0 ? [umount, ...all] : all
}
