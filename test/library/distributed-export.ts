/** Chains of distributed trust are carried to copies by hand, as any. */
import t from 'tap'
import { deriveChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { AEAD_AES_256_GCM, type AeadSuite } from '../../src/engine/crypto/suites.js'
import { encodePlainKey } from '../../src/engine/keyring/plain-key.js'
import { exportRange } from '../../src/engine/log/index.js'
import { AteSession, errorCode, generateWriteKey, importRange, writeBy } from '../../src/index.js'
import { bytesOf, diskChains, Note, texts } from '../helpers/disk-chains.js'
import { crypto, Distributed } from '../helpers/distributed.js'

const [root, alice] = [generateWriteKey(), generateWriteKey()]
const names = Array.from({ length: 6 }, (_, i) => `together ${i}`)

function newLedger() {
  const suite: AeadSuite = AEAD_AES_256_GCM
  const identity = { rootKey: crypto.randomBytes(32), chainId: crypto.randomBytes(16), suite }
  const ledger = new Distributed(deriveChainKeys(crypto, identity.rootKey, identity.chainId, suite))
  return { ledger, key: { kind: 'key', bytes: encodePlainKey(identity) } as const }
}

/** Exports of a chain whose commits share signatures: one up to each batch. */
async function exportsOfShared(): Promise<Uint8Array[]> {
  const { ledger, key } = newLedger()
  const { keys } = ledger
  const last = await ledger.use(async (chain, { view }) => {
    await chain.pinRootKeys([root.id])
    const commits = names.map(async (text) => {
      const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
      dio.protect(dio.store({ text }, { type: Note }), { write: writeBy.only(alice) })
      await dio.commit()
    })
    await Promise.all(commits)
    return await view.durableEnd()
  })
  const exports: Uint8Array[] = []
  for (let to = 1; to <= last.sequence; to++) {
    const range = { from: 1, to, key, end: () => Promise.resolve(last) }
    exports.push(await bytesOf(exportRange({ storage: ledger.storage, crypto, keys }, range)))
  }
  return exports
}

await t.test('an export of commits that share signatures makes the chain elsewhere, byte by byte', async (t) => {
  const exports = await exportsOfShared()
  const { config, open } = diskChains(t)
  const cutAt: number[] = []
  for (const [i, bytes] of exports.entries()) {
    const taken = await importRange(config, 'notes', [bytes]).catch(errorCode)
    if (taken === 'BATCH_REFUSED') cutAt.push(i + 1)
    else t.match(taken, { sequence: i + 1 })
  }
  t.ok(cutAt.length > 2, `cut before their signatures: ${cutAt.join()}`)
  t.notOk(cutAt.includes(exports.length), 'the last batch has the last signatures')
  const whole = exports.at(-1) ?? new Uint8Array(0)
  t.match(await importRange(config, 'notes', [whole]), { sequence: exports.length, batches: 0 })
  await using copy = await open(config)
  t.strictSame(await texts(copy), [...names].sort())
  t.strictSame(await bytesOf(copy.exportRange({ withKey: true })), whole)
})

await t.test('a batch that was refused travels with the others, and is refused by the copy', async (t) => {
  const { ledger, key } = newLedger()
  const note = await ledger.use(async (chain) => {
    await chain.pinRootKeys([root.id])
    const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
    const note = dio.store({ text: 'of Alice' }, { type: Note })
    dio.protect(note, { write: writeBy.only(alice) })
    await dio.commit()
    return note.key
  })
  await ledger.lawless(async (dio) => void ((await dio.load(Note, note)).text = 'of nobody'), generateWriteKey())
  const last = await ledger.use(async (chain, { view }) => {
    const session = new AteSession({ writeKeys: [alice] })
    await chain.transact(async (dio) => void ((await dio.load(Note, note)).text += ', changed'), { session })
    return await view.durableEnd()
  })
  const range = { from: 1, key, end: () => Promise.resolve(last) }
  const bytes = await bytesOf(
    exportRange({ storage: ledger.storage, crypto, keys: ledger.keys }, { ...range, to: undefined }),
  )
  const { config, open } = diskChains(t)
  const refused: unknown[] = []
  const told = config.with({ onRefused: ({ sequence, code }) => refused.push([sequence, code]) })
  t.match(await importRange(told, 'notes', [bytes]), { sequence: 4, batches: 4 })
  t.strictSame(refused.splice(0), [[3, 'NOT_AUTHORIZED']])
  const copy = await open(told)
  t.strictSame(await texts(copy), ['of Alice, changed'])
  t.strictSame(await bytesOf(copy.exportRange({ withKey: true })), bytes)
  await copy.close()
  t.strictSame(refused, [], 'its index knows')
})
