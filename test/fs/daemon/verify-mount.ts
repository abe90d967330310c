/** Asking a mount whether it answers, with and without stat(1). */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyMount } from '../../../src/fs/daemon/verify-mount.js'
import { cliWorld, shell } from '../../helpers/cli.js'

function withPath(t: Test, path: string): void {
  const before = process.env['PATH']
  process.env['PATH'] = path
  t.teardown(() => (process.env['PATH'] = before))
}

for (const kind of ['no stat in PATH', 'a stat that cannot be run', 'stat']) {
  await t.test(`a mountpoint that answers is told from one that does not, with ${kind}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'atefs-verify-'))
    t.teardown(() => rmSync(root, { recursive: true }))
    mkdirSync(join(root, 'bin'))
    if (kind.startsWith('a stat')) {
      writeFileSync(join(root, 'bin', 'stat'), '')
      chmodSync(join(root, 'bin', 'stat'), 0o600)
    }
    if (kind !== 'stat') withPath(t, join(root, 'bin'))
    await verifyMount(root)
    const gone = join(root, 'none')
    await t.rejects(verifyMount(gone), {
      code: 'MOUNT_REFUSED',
      message: /^mounted at \S+\/none, but [^\n]*no such file[^\n]*$/i,
    })
  })
}

t.test('a chain can be mounted with nothing in PATH', async (t) => {
  const world = cliWorld(t)
  // Who is not root needs fusermount3.
  const asUser = process.getuid?.() === 0 ? {} : { PATH: process.env['PATH'] ?? '' }
  const result = await world.run(['mount', world.path('vault'), '--no-auth'], {
    environment: { PATH: world.path('empty'), ...asUser },
  })
  t.equal(result.code, 0, result.stderr)
  t.equal(await shell(`ls -a ${world.path('vault')} | wc -l`), '2\n')
})
