/** An index with a damaged page, through the program: neither the mount nor its background scan nor fsck ends by it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { cliWorld, shell } from '../helpers/cli.js'

const PAGE_BYTES = 4096
/** The first two lead to all others; the worker looks at all of them after some 3 s of nothing. */
const META_PAGES = 2
const SCANNED_MS = 5000

t.test('fsck tells of every damage to the index, and the next mount rebuilds it and stays', async (t) => {
  const world = cliWorld(t)
  const mountpoint = world.path('vault')
  const index = world.path('data/atefs/vault/index')
  await world.run(['mount', mountpoint, '--no-auth'])
  await shell(`cd ${mountpoint}; for i in $(seq 200); do echo $i > file-$i; done; sync file-1`)
  await world.run(['umount', mountpoint])
  const dataFile = join(index, 'data.mdb')
  const whole = readFileSync(dataFile)
  writeFileSync(dataFile, Buffer.from(whole).fill(0, META_PAGES * PAGE_BYTES))
  const checked = await world.run(['fsck', 'vault'])
  t.equal(checked.code, 26, checked.stderr)
  t.match(checked.stdout, 'the next mount rebuilds it')
  for (const flags of [['--read-only'], []]) {
    const mounted = await world.run(['mount', mountpoint, ...flags])
    t.equal(mounted.code, 0, mounted.stderr)
    await sleep(SCANNED_MS)
    t.equal(await shell(`cat ${mountpoint}/file-77`), '77\n')
    t.equal((await world.run(['umount', mountpoint])).code, 0)
  }
  t.notOk(existsSync(join(index, 'broken')))
  t.equal((await world.run(['fsck', 'vault'])).code, 0)
})
