/** A plain directory of this machine as a system under test: the oracle. What its file system lacks is found by trying. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test } from 'tap'
import { laterClock, type Capability, type Lacks } from '../../contract/file-system/contract.js'
import type { KernelSystem } from '../../contract/file-system/kernel.js'
import type { PosixClient } from './client.js'
import { errnoOf, readFile, withOpen, writeFile } from './files.js'
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  RENAME_WHITEOUT,
} from './constants.js'
import { isRoot } from './identity.js'
import { SyscallClient } from './syscall-client.js'

export async function plainDirectory(t: Test): Promise<KernelSystem> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'atefs-oracle-')))
  t.teardown(() => {
    // An ordinary user removes nothing from a directory that a test has closed to its owner.
    spawnSync('chmod', ['-R', 'u+rwx', '--', root])
    rmSync(root, { recursive: true, force: true })
  })
  const client = new SyscallClient(root)
  client.chmod('.', 0o755)
  client.mkdir('probe')
  return { name: 'plain directory', client, lacks: { ...lacksWithoutRoot(), ...(await probe(client.in('probe'))) } }
}

/** What no system under test can show to an ordinary user. */
export function lacksWithoutRoot(): Lacks {
  if (isRoot) return {}
  const reason = 'needs root'
  return { 'other users': reason, 'trusted attributes': reason, 'device nodes': reason, whiteouts: reason }
}

async function probe(c: PosixClient): Promise<Lacks> {
  await writeFile(c, 'a')
  await writeFile(c, 'b')
  const tries: [Capability, () => unknown][] = [
    ['rename flags', () => c.rename('a', 'b', RENAME_EXCHANGE)],
    ['whiteouts', () => c.rename('a', 'w', RENAME_WHITEOUT)],
    ['temporary files', async () => c.close(await c.open('.', O_RDWR | O_TMPFILE))],
    ['allocation', () => withOpen(c, 'b', (fd) => c.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096))],
    ['zeroing ranges', () => withOpen(c, 'b', (fd) => c.fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096))],
    ['attributes of 64 KiB', () => c.setxattr('b', 'user.big', Buffer.alloc(65536))],
    ['access control lists', () => c.setxattr('b', 'system.posix_acl_access', Buffer.alloc(0))],
  ]
  const lacks: Lacks = { 'refusing to collapse': 'the disk here may be able to' }
  await writeFile(c, 'read', 'x')
  const before = await c.stat('read')
  await laterClock()
  await readFile(c, 'read')
  if ((await c.stat('read')).atime === before.atime) lacks['access times'] = 'the disk is mounted noatime'
  for (const [capability, attempt] of tries) {
    const errno = await errnoOf(attempt)
    if (errno !== undefined) lacks[capability] = `the disk under the temporary directory answers ${errno}`
  }
  return lacks
}
