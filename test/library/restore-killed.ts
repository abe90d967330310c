/** A restore whose process is killed at any step leaves the chain that was there or the backup, whole, and can be done again. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { restoreChain } from '../../src/index.js'
import { diskChains, store, texts } from '../helpers/disk-chains.js'
import { projectRoot } from '../helpers/source-files.js'

const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
const KILLS = IS_LONG ? Infinity : 5

await t.test('a restore that is killed anywhere leaves the one chain or the other', async (t) => {
  const { root, config, open } = diskChains(t)
  const [backup, saved] = [join(root, 'backup'), join(root, 'saved')]
  const chain = await open()
  await store(chain, 'in the backup')
  await chain.backup(backup, { withKey: true })
  await store(chain, 'newer')
  await chain.close()
  for (const place of ['logs', 'state']) cpSync(join(root, place), join(saved, place), { recursive: true })

  const { logPath } = config.options
  const words = ['test/helpers/killed-restore.js']
  const given = [JSON.stringify({ logPath }), 'notes', backup]
  const asBefore = (): void => {
    for (const place of ['logs', 'state']) {
      rmSync(join(root, place), { recursive: true })
      cpSync(join(saved, place), join(root, place), { recursive: true })
    }
  }
  // Without the loader that tap gives to whatever a test starts.
  const options = { cwd: projectRoot, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const
  const steps = Number(execFileSync(process.execPath, [...words, ...given], options))
  t.ok(steps > 5, `${steps} steps`)
  const seen = new Set<string>()
  for (let kill = 0; kill < Math.min(KILLS, steps); kill++) {
    const step = 1 + Math.floor((kill * steps) / Math.min(KILLS, steps))
    asBefore()
    const { signal } = spawnSync(process.execPath, [...words, ...given, String(step)], options)
    t.equal(signal, 'SIGKILL')
    const names = readdirSync(join(root, 'logs'))
    t.ok(names.includes('notes'), `killed at ${step}: ${names.join()}`)
    // What this machine knew of the newer one may be there still.
    const left = await open().catch(() => restoreChain(config, 'notes', backup, { force: true, acceptRollback: true }))
    if ('close' in left) {
      const found = (await texts(left)).join()
      seen.add(found)
      t.ok(['in the backup,newer', 'in the backup'].includes(found), `killed at ${step}: ${found}`)
      await left.close()
    }
    await restoreChain(config, 'notes', backup, { force: true, acceptRollback: true })
    const restored = await open()
    t.strictSame(await texts(restored), ['in the backup'], `done again after ${step}`)
    await restored.close()
    t.notOk(readdirSync(join(root, 'logs')).some((name) => name.endsWith('.restoring')))
  }
  t.ok(seen.has('in the backup,newer'))
})
