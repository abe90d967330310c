/** A disk that can be filled: a file system of some MiB, mounted below the temporary directory. Needs root. */
import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { User } from './user.js'

export type DiskKind = 'tmpfs' | 'ext4'

/**
 * The mountpoint of the disk, owned by the user. Undefined when this machine cannot make it, for want of loop devices: the
 * test says so as its reason to leave the rest out, and fails where everything has to run.
 */
export function smallDisk(t: Test, kind: DiskKind, mebibytes: number, user: User): string | undefined {
  const base = mkdtempSync(join(tmpdir(), 'atefs-disk-'))
  const mountpoint = join(base, 'disk')
  mkdirSync(mountpoint)
  t.teardown(() => {
    spawnSync('umount', ['-l', mountpoint])
    rmSync(base, { recursive: true, force: true })
  })
  spawnSync('chmod', ['755', base])
  if (!mountDisk(kind, join(base, 'image'), mountpoint, mebibytes)) {
    const reason = kind === 'ext4' ? 'there are no loop devices to make a small disk of' : 'no tmpfs can be mounted'
    if (process.env['CI'] === 'true') t.fail(reason)
    else t.pass('a small disk', { skip: reason })
    return undefined
  }
  chownSync(mountpoint, user.uid, user.gid)
  return mountpoint
}

function mountDisk(kind: DiskKind, image: string, mountpoint: string, mebibytes: number): boolean {
  if (kind === 'tmpfs')
    return succeeds('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', mountpoint)
  return (
    succeeds('truncate', '-s', `${mebibytes}M`, image) &&
    // No blocks kept back for root, who is a tester too.
    succeeds('mkfs.ext4', '-q', '-m', '0', image) &&
    succeeds('mount', '-o', 'loop', image, mountpoint)
  )
}

function succeeds(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
