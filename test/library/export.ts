/** Exports carried by hand: from a chain to a copy of it, all or nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorCode, importRange, type Plugin, vote } from '../../src/index.js'
import { bytesOf, diskChains, Note, store, texts } from '../helpers/disk-chains.js'

await t.test('an export from batch 1 makes the chain elsewhere, and later ones bring it up to date', async (t) => {
  const { root, config, elsewhere, open, on } = diskChains(t)
  const secret = { passphrase: 'secret' }
  const chain = await open(config.with(secret))
  await store(chain, 'first')
  await store(chain, 'long'.repeat(100_000))
  const all = await bytesOf(chain.exportRange())
  on(elsewhere)
  t.strictSame(await importRange(elsewhere.with(secret), 'notes', [all]), { sequence: 2, batches: 2 })
  on(config)
  await store(chain, 'third')
  const rest = await bytesOf(chain.exportRange({ from: 3 }))
  const overlapping = await bytesOf(chain.exportRange({ from: 2 }))
  const whole = await bytesOf(chain.exportRange())
  await chain.close()
  on(elsewhere)
  t.strictSame(await importRange(elsewhere.with(secret), 'notes', [rest]), { sequence: 3, batches: 1 })
  for (const again of [overlapping, rest, all])
    t.strictSame(await importRange(elsewhere.with(secret), 'notes', [again]), { sequence: 3, batches: 0 })
  const copy = await open(elsewhere.with(secret))
  t.strictSame(await texts(copy), ['first', 'long'.repeat(100_000), 'third'])
  t.strictSame(await bytesOf(copy.exportRange()), whole, 'byte by byte')
  await copy.close()
  t.notOk(existsSync(join(root, 'elsewhere', 'notes.importing')))
  t.notOk(existsSync(join(root, 'elsewhere', 'notes.replaced')))
})

await t.test(
  'gaps, forks, other chains and exports without a key are refused, and nothing of them is kept',
  async (t) => {
    const { config, elsewhere, open, on } = diskChains(t)
    const chain = await open()
    for (const text of ['1', '2', '3', '4']) await store(chain, text)
    await t.rejects(bytesOf(chain.exportRange()), { code: 'BAD_ARGUMENT' }, 'withKey is not said')
    await t.rejects(bytesOf(chain.exportRange({ from: 7 })), { code: 'BAD_ARGUMENT' })
    await t.rejects(bytesOf(chain.exportRange({ from: 2, to: 9 })), { code: 'BAD_ARGUMENT' })
    const keyless = await bytesOf(chain.exportRange({ withKey: false }))
    const start = await bytesOf(chain.exportRange({ to: 2, withKey: true }))
    const end = await bytesOf(chain.exportRange({ from: 4 }))
    await chain.close()
    const other = await open(config, 'other')
    await store(other, 'of another')
    const alien = await bytesOf(other.exportRange({ withKey: true }))
    await other.close()
    on(elsewhere)
    await t.rejects(importRange(elsewhere, 'notes', [end]), { code: 'CHAIN_GAP' })
    await t.rejects(importRange(elsewhere, 'notes', [keyless]), { code: 'NO_PASSPHRASE' })
    await importRange(elsewhere, 'notes', [start])
    await t.rejects(importRange(elsewhere, 'notes', [end]), { code: 'CHAIN_GAP' })
    await t.rejects(importRange(elsewhere, 'notes', [alien]), { code: 'OTHER_CHAIN' })
    const copy = await open(elsewhere)
    await t.rejects(importRange(elsewhere, 'notes', [end]), { code: 'CHAIN_LOCKED' })
    t.strictSame(await texts(copy), ['1', '2'])
    await store(copy, 'another 3')
    await copy.close()
    for (const forked of [keyless, end])
      await t.rejects(importRange(elsewhere, 'notes', [forked]), { code: 'CHAIN_FORKED' })
    const same = await open(elsewhere)
    t.strictSame(await texts(same), ['1', '2', 'another 3'])
    await same.close()
  },
)

await t.test('an export that is cut off or changed anywhere is refused, and nothing of it is kept', async (t) => {
  const { elsewhere, open, on } = diskChains(t)
  const chain = await open()
  for (const text of ['1', '2', '3']) await store(chain, text)
  const start = await bytesOf(chain.exportRange({ to: 2, withKey: true }))
  const all = await bytesOf(chain.exportRange({ withKey: true }))
  await chain.close()
  on(elsewhere)
  await importRange(elsewhere, 'notes', [start])
  const refused = async (bytes: Uint8Array, what: string): Promise<void> => {
    const code = await importRange(elsewhere, 'notes', [bytes]).then(() => 'taken', errorCode)
    if (code === 'taken' || code === undefined) t.fail(`${what}: ${code}`)
  }
  // Each is an import into a copy of the chain; `test/fuzz/export.ts` has the parser alone read thousands.
  for (const i of [1, 5, 8, 11]) await refused(all.subarray(0, Math.floor((all.length * i) / 12)), `cut ${i}`)
  await refused(Buffer.concat([all, all]), 'twice')
  for (let at = 3; at < all.length; at += Math.floor(all.length / 9)) {
    const changed = all.slice()
    changed[at] = (changed[at] ?? 0) ^ 4
    await refused(changed, `byte ${at}`)
  }
  const copy = await open(elsewhere)
  t.strictSame(await texts(copy), ['1', '2'])
  await copy.close()
  t.strictSame(await importRange(elsewhere, 'notes', [all]), { sequence: 3, batches: 1 })
})

await t.test('what a compaction dropped travels as dropped', async (t) => {
  const { config, elsewhere, open, on } = diskChains(t)
  const chain = await open()
  const { key } = await store(chain, 'gone'.repeat(200_000))
  await store(chain, 'stays'.repeat(10_000))
  await chain.rotate()
  await chain.transact((dio) => dio.delete(key))
  const report = await chain.compact()
  t.ok(report.bytes > 800_000, 'something was dropped')
  const all = await bytesOf(chain.exportRange({ withKey: true }))
  t.ok(all.length < 200_000, `it is left out: ${all.length}`)
  await t.rejects(bytesOf(chain.exportRange({ to: 2, withKey: true })), { code: 'BAD_ARGUMENT' })
  await chain.close()
  on(elsewhere)
  await importRange(elsewhere, 'notes', [all])
  const copy = await open(elsewhere)
  t.strictSame(await texts(copy), ['stays'.repeat(10_000)])
  t.strictSame(await bytesOf(copy.exportRange({ withKey: true })), all)
  await copy.close()
  on(config)
})

await t.test('an import that is given up changes nothing', async (t) => {
  const { root, elsewhere, open, on } = diskChains(t)
  const chain = await open()
  for (const text of ['1', '2', '3']) await chain.transact((dio) => dio.store({ text }, { type: Note }))
  const all = await bytesOf(chain.exportRange({ withKey: true }))
  await chain.close()
  on(elsewhere)
  const end = new AbortController()
  const onProgress = (): void => end.abort()
  await t.rejects(importRange(elsewhere, 'notes', [all], { signal: end.signal, onProgress }), { code: 'ABORTED' })
  t.notOk(existsSync(join(root, 'elsewhere', 'notes')))
})

await t.test('validators judge what is imported; what they refuse is not taken in', async (t) => {
  const { config, elsewhere, open, on } = diskChains(t)
  const chain = await open()
  for (const text of ['one', 'two', 'three']) await store(chain, text)
  const bytes = await bytesOf(chain.exportRange({ withKey: true }))
  await chain.close()
  on(elsewhere)
  const seen: string[] = []
  const judge = (wrong?: string): Plugin => ({
    name: 'judge',
    open: () => void t.fail('nothing may be written to a copy'),
    validators: [
      (commit) => {
        const all = commit.of(Note).map(({ fields }) => fields?.text ?? '')
        seen.push(...all)
        return wrong !== undefined && all.includes(wrong) ? vote.deny('not that') : vote.allow
      },
    ],
  })
  const importing = (wrong?: string) => importRange(elsewhere, 'notes', [bytes], { plugins: [judge(wrong)] })
  await t.rejects(importing('two'), { code: 'REFUSED', message: /not that/ })
  t.strictSame(seen.splice(0), ['one', 'two'])
  t.notOk(existsSync(join(String(elsewhere.options.logPath), 'notes')))
  t.match(await importing(), { sequence: 3 })
  t.strictSame(seen, ['one', 'two', 'three'])
  on(config)
})

await t.test('of two imports that make the same chain at once one succeeds', async (t) => {
  const { elsewhere, open, on } = diskChains(t)
  const chain = await open()
  for (const text of ['one', 'two', 'x'.repeat(300_000)]) await store(chain, text)
  const bytes = await bytesOf(chain.exportRange({ withKey: true }))
  await chain.close()
  on(elsewhere)
  const pieces = Array.from({ length: 20 }, (_, i) =>
    bytes.subarray((i * bytes.length) / 20, ((i + 1) * bytes.length) / 20),
  )
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => importRange(elsewhere, 'notes', pieces).then(({ batches }) => batches, errorCode)),
  )
  t.strictSame(outcomes.sort(), [3, 'CHAIN_LOCKED', 'CHAIN_LOCKED'])
  const copy = await open(elsewhere)
  t.equal((await texts(copy)).length, 3)
  await copy.close()
  t.notOk(existsSync(join(String(elsewhere.options.logPath), 'notes.importing')))
})
