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

/** Exports of a chain whose commits share signatures: one up to each batch. */
async function exportsOfShared(): Promise<Uint8Array[]> {
  const suite: AeadSuite = AEAD_AES_256_GCM
  const identity = { rootKey: crypto.randomBytes(32), chainId: crypto.randomBytes(16), suite }
  const keys = deriveChainKeys(crypto, identity.rootKey, identity.chainId, suite)
  const ledger = new Distributed(keys)
  const key = { kind: 'key', bytes: encodePlainKey(identity) } as const
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
