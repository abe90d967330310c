/** A copy of a chain that is cut back to a point: the rest lies beside it, and can be taken in again. */
import { readFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cutBackDirectory } from '../../../src/adapters/node/cut-back.js'
import { openChain } from '../../../src/adapters/node/open-chain.js'
import { type LogEnd, readBatches } from '../../../src/engine/log/index.js'
import { importRange } from '../../../src/index.js'
import { JUDGE_MODULE } from '../../../src/library/judge-module.js'
import { receiverOf } from '../../../src/library/receiver.js'
import { bytesOf, diskChains, type DiskChains, store, texts } from '../../helpers/disk-chains.js'

const secret = { kind: 'key-file' } as const

/** A chain of six notes in several segments, and its points. */
async function six({ root, open }: DiskChains): Promise<{ directory: string; points: LogEnd[] }> {
  const chain = await open()
  for (const text of ['1', '2', '3', '4', '5', '6']) {
    await store(chain, text)
    if (text === '2' || text === '4') await chain.rotate()
  }
  await chain.close()
  const directory = join(root, 'logs', 'notes')
  const handle = await openChain({
    directory,
    secret,
    anchorDirectory: undefined,
    readOnly: true,
    allowDamage: false,
    acceptRollback: false,
    onProgress: () => undefined,
    onNotice: () => undefined,
  })
  const points: LogEnd[] = [{ sequence: 0, digest: new Uint8Array(32) }]
  for await (const { sequence, digest } of readBatches(handle.source, 1, 6)) points.push({ sequence, digest })
  await handle.close()
  return { directory, points }
}

for (const at of [0, 2, 5])
  await t.test(`cut back to batch ${at}, the chain is as it was then, and the rest is kept`, async (t) => {
    const chains = diskChains(t)
    const { directory, points } = await six(chains)
    const place = { directory, secret, judgeModule: JUDGE_MODULE, receiverOf }
    const point = points[at] ?? { sequence: 0, digest: new Uint8Array(32) }
    const { setAside = '', batches } = await cutBackDirectory(place, point)
    t.equal(batches, 6 - at)
    t.strictSame(await cutBackDirectory(place, point), { setAside: undefined, batches: 0 })
    chains.on(chains.elsewhere)
    const cut = await chains.open()
    t.strictSame(await texts(cut), ['1', '2', '3', '4', '5', '6'].slice(0, at))
    if (at > 0) t.ok((await bytesOf(cut.exportRange({ from: at, withKey: false }))).length > 0)
    await cut.close()
    await importRange(chains.config, 'notes', [readFileSync(setAside)])
    const again = await chains.open()
    t.strictSame(await texts(again), ['1', '2', '3', '4', '5', '6'])
    await again.close()
    t.strictSame(readdirSync(join(directory, '..')).sort(), ['notes', 'notes.set-aside'])
  })

await t.test('a point of another history, or ahead, is refused, and nothing has changed', async (t) => {
  const chains = diskChains(t)
  const { directory } = await six(chains)
  const place = { directory, secret, judgeModule: JUDGE_MODULE, receiverOf }
  for (const sequence of [3, 7])
    await t.rejects(cutBackDirectory(place, { sequence, digest: new Uint8Array(32).fill(1) }), { code: 'CHAIN_FORKED' })
  t.notOk(existsSync(`${directory}.set-aside`))
  const chain = await chains.open()
  t.equal((await texts(chain)).length, 6)
  await t.rejects(cutBackDirectory(place, { sequence: 0, digest: new Uint8Array(32) }), { code: 'CHAIN_LOCKED' })
  await chain.close()
})
