/** Chains of distributed trust are carried to copies by hand, as any. */
import t from 'tap'
import { deriveChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { AEAD_AES_256_GCM, type AeadSuite } from '../../src/engine/crypto/suites.js'
import { encodePlainKey } from '../../src/engine/keyring/plain-key.js'
import { batchItemPieces, exportRange, type LogEnd, openLog, readBatches } from '../../src/engine/log/index.js'
import { encodeEnd, encodeExportHeader } from '../../src/engine/log/export-format.js'
import { encodeForget } from '../../src/engine/log/format/forget-format.js'
import { DROP_NUMBER, GROUP_FORGET, GROUP_RECORDS } from '../../src/engine/log/types.js'
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

/** A chain whose last batch forgets all before it, which every reader refuses, and its export, that lacks those records or not. */
async function exportOfForgetting(lacks: boolean): Promise<Uint8Array> {
  const { ledger, key } = newLedger()
  const { storage, keys } = ledger
  const first = await ledger.use(async (chain, { view }) => {
    await chain.transact((dio) => void dio.store({ text: 'kept' }, { type: Note }))
    return await view.durableEnd()
  })
  const ignore = (): void => undefined
  const { log } = await openLog({ storage, crypto, keys, clock: Date.now, readOnly: false, onBatch: ignore })
  const parts = [encodeForget(first.sequence)]
  await log.append([{ groups: [{ kind: GROUP_FORGET, number: DROP_NUMBER, parts }] }])
  await log.close()
  const { chainId, suite } = keys
  const header = { chainId, suite, trust: 'distributed', from: 1, key } as const
  const pieces: Uint8Array[] = []
  let end: LogEnd = first
  let running = new Uint8Array() as Uint8Array
  for await (const batch of readBatches({ storage, crypto, keys }, 1, first.sequence + 1)) {
    const { groups, head, bytes, sequence, digest } = batch
    if (sequence === 1) pieces.push(encodeExportHeader({ ...header, previous: head.link.previous }))
    if (sequence === 1) running = crypto.sha256(...pieces)
    const missing = groups.filter(({ kind }) => lacks && kind === GROUP_RECORDS)
    const finding = { kind: 'group', message: '', segment: 0, position: 0, sequence } as const
    const doubts = missing.map(({ kind, number, storedBytes }) => ({ kind, number, storedBytes, finding }))
    const item = batchItemPieces({ bytes, head, missing: doubts })
    running = crypto.sha256(running, ...item)
    pieces.push(Buffer.concat(item))
    end = { sequence, digest }
  }
  return Buffer.concat([...pieces, encodeEnd(crypto, keys, end, running)])
}

await t.test(
  'a batch that forgets is refused by every copy, and records that it would excuse may not be missing',
  async (t) => {
    const { config, open } = diskChains(t)
    const refused: unknown[] = []
    const told = config.with({ onRefused: ({ sequence, code }) => refused.push([sequence, code]) })
    await t.rejects(importRange(told, 'notes', [await exportOfForgetting(true)]), { code: 'BATCH_REFUSED' })
    const { sequence } = await importRange(told, 'notes', [await exportOfForgetting(false)])
    t.strictSame(refused.splice(0), [[sequence, 'NOT_AUTHORIZED']])
    await using copy = await open(told)
    t.strictSame(await texts(copy), ['kept'])
  },
)
