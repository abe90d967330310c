/** Deleted content gives its space back while a mount is in use, and nothing else is lost: with the index and without. */
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { manifestOf } from '../helpers/manifest.js'
import { makeSampleTree } from '../helpers/sample-tree.js'
import { onOrdinaryMount, type Vault } from '../helpers/vault.js'

const MiB = 1024 * 1024
const KILLED_AFTER_MS = process.env['ATEFS_TEST_LONG'] === undefined ? [0, 900, 1300] : [0, 300, 900, 1100, 1300, 1500]
const OFTEN = ['--compact-mode', 'modified', '--compact-timer', '1']

/** What the segments take on the disk. */
function diskBytes(vault: Vault): number {
  return readdirSync(vault.chain)
    .filter((name) => name.endsWith('.seg'))
    .reduce((sum, name) => sum + statSync(join(vault.chain, name)).blocks * 512, 0)
}

/** Without what is reserved for the segment being written. */
function usedBytes(vault: Vault): number {
  const segments = readdirSync(vault.chain).filter((name) => name.endsWith('.seg'))
  return segments
    .map((name) => statSync(join(vault.chain, name)))
    .reduce((sum, { size, blocks }) => sum + (size >= 64 * MiB && blocks * 512 >= size ? 0 : blocks * 512), 0)
}

async function until(isSo: () => boolean, limitMs: number): Promise<boolean> {
  const end = Date.now() + limitMs
  while (!isSo() && Date.now() < end) await sleep(200)
  return isSo()
}

onOrdinaryMount(t, 'a large file that is deleted gives its space back, while others write', async (t, vault) => {
  await makeSampleTree(vault)
  await vault.remount(...OFTEN)
  await vault.shell('head -c 20M /dev/urandom > kept; head -c 200M /dev/urandom > large; sync -f .')
  const before = diskBytes(vault)
  t.ok(before > 220 * MiB)
  const writers = vault.shell(`
    mkdir busy
    for i in $(seq 300); do head -c 30000 /dev/urandom > busy/$i; sha256sum busy/$i >> sums; rm -f busy/$((i - 20)); done
    for i in $(seq 281 300); do grep " busy/$i$" sums; done | sha256sum --check --quiet -`)
  // A file that is open keeps its content without a name.
  await vault.shell('exec 3< large; rm large; sync -f .; sleep 4; head -c 200M <&3 | wc -c | grep -q 209715200')
  await writers
  // What lies in the segment that is written stays until that is closed.
  t.ok(await until(() => diskBytes(vault) < before - 120 * MiB, 60_000), `${diskBytes(vault)} of ${before} are left`)
  const manifest = await manifestOf(vault)
  await vault.remount()
  t.strictSame(await manifestOf(vault), manifest, 'after a remount')
  await vault.remount('--compact-now')
  t.ok(await until(() => usedBytes(vault) < 40 * MiB, 30_000), `${usedBytes(vault)} are left`)
  t.strictSame(await manifestOf(vault), manifest, 'after all of it is gone')
  await vault.unmount()
  rmSync(join(vault.chain, 'index'), { recursive: true })
  await vault.mount()
  t.strictSame(await manifestOf(vault), manifest, 'without the index')
  await vault.unmount()
  t.equal((await vault.atefs(['fsck', 'mnt', '--log-path', vault.logPath])).code, 0, 'fsck finds nothing')
  await vault.mount()
})

onOrdinaryMount(t, 'a mount that is killed again and again while it compacts keeps every file', async (t, vault) => {
  await vault.shell('mkdir kept; for i in $(seq 50); do head -c 200000 /dev/urandom > kept/$i; done; sync -f .')
  const manifest = await manifestOf(vault)
  for (const waitMs of KILLED_AFTER_MS) {
    await vault.unmount()
    await vault.mount(...OFTEN, '--compact-now')
    await vault.shell('head -c 60M /dev/urandom > gone; sync -f .; rm gone; sync -f .')
    await sleep(waitMs)
    await vault.crash()
    await vault.mount()
    await vault.shell('touch -r kept/1 . && sync -f .')
    const now = await manifestOf(vault)
    t.strictSame(
      now.filter((line) => line.includes('kept/')),
      manifest.filter((line) => line.includes('kept/')),
    )
  }
  await vault.unmount()
  t.equal((await vault.atefs(['fsck', 'mnt', '--log-path', vault.logPath])).code, 0, 'fsck finds nothing')
  await vault.mount()
})

onOrdinaryMount(t, 'the segments of a copy made of hard links are left alone', async (t, vault) => {
  await vault.shell('head -c 10M /dev/urandom > gone; sync -f .')
  await vault.unmount()
  const copy = join(vault.base, 'copy')
  execFileSync('cp', ['-al', vault.chain, copy])
  await vault.mount('--compact-now', ...OFTEN)
  await vault.shell('rm gone; sync -f .')
  await sleep(3000)
  t.ok(statSync(join(copy, '0000000001.seg')).blocks * 512 > 10 * MiB, 'nothing was given back')
  rmSync(copy, { recursive: true })
  await vault.shell('touch more; sync -f .')
  const first = (): number => statSync(join(vault.chain, '0000000001.seg')).blocks * 512
  t.ok(await until(() => first() < MiB, 10_000), 'the copy is gone: now it was')
  await vault.unmount()
  t.equal((await vault.atefs(['fsck', 'mnt', '--log-path', vault.logPath])).code, 0)
  await vault.mount()
})
