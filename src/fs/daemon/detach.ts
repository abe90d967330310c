/**
 * Takes a mount out of the tree from outside the process that serves it: as root with umount(8), else with fusermount3
 * (or fusermount of FUSE 2). Neither touches the file system behind the mountpoint.
 */
import { execFile } from 'node:child_process'
import { AteError } from '../../engine/error.js'

export interface DetachOptions {
  /** Also when it is in use: it disappears now, and ends when the last user lets go. */
  lazy: boolean
}

/** Fails with MOUNTPOINT_BUSY, or MOUNTPOINT_UNUSABLE with what the system's tool said. */
export async function detach(mountpoint: string, options: DetachOptions): Promise<void> {
  const complaints: string[] = []
  for (const [program, ...args] of commands(options.lazy)) {
    const result = await run(program, [...args, '--', mountpoint])
    if (result.ok) return
    complaints.push(result.message)
    if (/busy/i.test(result.message)) {
      throw new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use`, {
        hint: 'Close the programs that use it and try again.',
      })
    }
  }
  throw new AteError(
    'MOUNTPOINT_UNUSABLE',
    `cannot unmount ${mountpoint}: ${complaints.at(-1) ?? 'no tool to do it'}`,
    {
      hint: 'Unmounting needs fusermount3 (Debian: apt install fuse3) or root.',
    },
  )
}

function commands(lazy: boolean): [string, ...string[]][] {
  const umount: [string, ...string[]] = lazy ? ['umount', '-l'] : ['umount']
  const fusermount = lazy ? ['-u', '-z'] : ['-u']
  const all: [string, ...string[]][] = [
    ['fusermount3', ...fusermount],
    ['fusermount', ...fusermount],
  ]
  return process.getuid?.() === 0 ? [umount, ...all] : all
}

/** English messages, which we read, and the places where set-user-id programs may be, whatever the caller's PATH says. */
const TOOL_ENVIRONMENT = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/wrappers/bin',
}

interface Outcome {
  ok: boolean
  message: string
}

function run(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 10_000, env: TOOL_ENVIRONMENT }, (error, _stdout, stderr) => {
      const message = stderr.trim() || (error instanceof Error ? error.message : '')
      resolve({ ok: error === null, message: message.split('\n')[0] ?? '' })
    })
  })
}
