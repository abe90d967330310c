/** Records that are forgotten, in chains on the disk: the log shrinks, copies are whole, and nobody sees a difference. */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Chain, importRange, type ObjectKey, restoreChain } from '../../src/index.js'
import { cutBackDirectory } from '../../src/adapters/node/cut-back.js'
import { openChain } from '../../src/adapters/node/open-chain.js'
import { type LogEnd, readBatches } from '../../src/engine/log/index.js'
import { JUDGE_MODULE } from '../../src/library/judge-module.js'
import { receiverOf } from '../../src/library/receiver.js'
import { bytesOf, diskChains, Note, store, texts } from '../helpers/disk-chains.js'

/** What the segments of a chain take on the disk. */
function diskBytes(directory: string): number {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).blocks * 512, 0)
}

const COUNT = 400

/** Stores notes, changes them again and again, and others that are deleted. What is left is some 70 KB of records. */
async function churn(chain: Chain): Promise<ObjectKey[]> {
  const { keys } = await chain.transact((dio) => ({
    keys: Array.from({ length: COUNT }, (_, i) => dio.store({ text: `${i} `.padEnd(100, 'x') }, { type: Note }).key),
  }))
  for (let round = 0; round < 6; round++) {
    await chain.transact(async (dio) => {
      for (const key of keys) (await dio.load(Note, key)).text = `${round} ${key} `.padEnd(100, 'y')
    })
    const gone = await chain.transact((dio) =>
      Array.from({ length: COUNT }, () => dio.store({ text: 'z'.repeat(100) }, { type: Note }).key),
    )
    await chain.transact((dio) => gone.forEach((key) => dio.delete(key)))
  }
  return keys
}

await t.test('versions and names that are gone leave the log, and its copies', async (t) => {
  const { root, config, elsewhere, open, on } = diskChains(t)
  const directory = join(root, 'logs', 'notes')
  let chain = await open()
  const [key] = await churn(chain)
  if (key === undefined) return t.fail('there is no note')
  const early = await bytesOf(chain.exportRange({ withKey: true, to: 3 }))
  await chain.close()
  const before = diskBytes(directory)
  chain = await open()
  const older = chain.dio()
  const { text } = await chain.dio().load(Note, key)
  await chain.transact(async (dio) => void ((await dio.load(Note, key)).text = 'newer'))
  const expected = await texts(chain)
  const { freedBytes } = await chain.compact()
  t.ok(freedBytes > before / 2, `${freedBytes} bytes of ${before}`)
  t.equal((await older.load(Note, key)).text, text, 'an older state reads as it was')
  t.strictSame(await texts(chain), expected)
  await t.rejects(bytesOf(chain.exportRange({ to: 3, withKey: true })), { code: 'BAD_ARGUMENT' })
  const all = await bytesOf(chain.exportRange({ withKey: true }))
  const rest = await bytesOf(chain.exportRange({ from: 2 }))
  t.ok(all.length < before / 2, `${all.length} bytes travel`)
  const backup = join(root, 'backup')
  await chain.backup(backup, { withKey: true })
  await chain.close()
  t.ok(diskBytes(directory) < before / 2, `${diskBytes(directory)} bytes are left`)
  rmSync(join(directory, 'index'), { recursive: true })
  chain = await open()
  t.strictSame(await texts(chain), expected, 'without the index')
  await chain.close()

  on(elsewhere)
  // A new copy, and one that has the first batches with their records.
  for (const pieces of [[all], [early, rest]]) {
    for (const piece of pieces) await importRange(elsewhere, 'notes', [piece])
    const copy = await open(elsewhere)
    t.strictSame(await texts(copy), expected)
    await churn(copy)
    const changed = await texts(copy)
    t.ok((await copy.compact()).freedBytes > 0, 'goes on')
    t.strictSame(await texts(copy), changed)
    await copy.close()
    rmSync(join(root, 'elsewhere'), { recursive: true })
    rmSync(join(root, 'state-elsewhere'), { recursive: true, force: true })
  }
  await restoreChain(elsewhere, 'notes', backup)
  const restored = await open(elsewhere)
  t.strictSame(await texts(restored), expected)
  await restored.close()
  on(config)
})

await t.test('a chain is cut back to where its records are not forgotten, and to nowhere else', async (t) => {
  const { root, open } = diskChains(t)
  const directory = join(root, 'logs', 'notes')
  const chain = await open()
  await churn(chain)
  await chain.compact()
  const expected = await texts(chain)
  await chain.rotate()
  await store(chain, 'later')
  await store(chain, 'last')
  await chain.close()
  const secret = { kind: 'key-file' } as const
  const ignore = (): void => undefined
  const options = { readOnly: true, allowDamage: false, acceptRollback: false, onProgress: ignore, onNotice: ignore }
  const handle = await openChain({ directory, secret, anchorDirectory: undefined, ...options })
  const points: LogEnd[] = []
  let saidAt = 0
  for await (const { sequence, digest, forgets } of readBatches(handle.source, 1, handle.status().headSequence)) {
    points.push({ sequence, digest })
    if (forgets > 0) saidAt = sequence
  }
  await handle.close()
  const place = { directory, secret, judgeModule: JUDGE_MODULE, receiverOf }
  for (const at of [2, saidAt - 1])
    await t.rejects(cutBackDirectory(place, points[at - 1] ?? { sequence: 0, digest: new Uint8Array(32) }), {
      code: 'NOT_SUPPORTED',
    })
  const said = points[saidAt - 1]
  if (said === undefined) return t.fail('no batch says that records are forgotten')
  t.equal((await cutBackDirectory(place, points.at(-2) ?? said)).batches, 1)
  t.equal((await cutBackDirectory(place, said)).batches, 1)
  rmSync(join(root, 'state'), { recursive: true })
  const cut = await open()
  t.strictSame(await texts(cut), expected)
  await cut.close()
})
