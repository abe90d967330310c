/** A check of a chain of distributed trust names the batches that every reader refuses: they are no damage. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { PLAIN_KEY_FILE } from '../../src/adapters/node/chain-secret.js'
import { FileStorage } from '../../src/adapters/node/file-storage.js'
import { type ChainFinding, checkChain } from '../../src/cli/check-chain.js'
import { freeDropped } from '../../src/engine/chain/compaction/free-dropped.js'
import { deriveChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { AEAD_AES_256_GCM, type AeadSuite } from '../../src/engine/crypto/suites.js'
import { encodePlainKey } from '../../src/engine/keyring/plain-key.js'
import { AteSession, generateWriteKey, writeBy } from '../../src/index.js'
import { crypto, Distributed } from '../helpers/distributed.js'
import { Note } from '../helpers/objects.js'

const [root, mallory] = [generateWriteKey(), generateWriteKey()]

async function check(directory: string) {
  const findings: ChainFinding[] = []
  const steps = checkChain({
    directory,
    anchorDirectory: join(directory, '..', 'anchors'),
    runtimeDirectory: join(directory, '..', 'runtime'),
    secret: { kind: 'key-file' },
    onProgress: () => undefined,
    onNotice: () => undefined,
  })
  let step = await steps.next()
  for (; step.done !== true; step = await steps.next()) findings.push(step.value)
  return { findings, ...step.value }
}

await t.test('a batch that its signers had no right to is named with the reason', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-refused-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const { ledger } = await ledgerIn(directory)
  const key = await ledger.use(async (chain) => {
    await chain.pinRootKeys([root.id])
    const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
    const note = dio.store({ text: 'mine' }, { type: Note })
    dio.protect(note, { write: writeBy.only(root) })
    await dio.commit()
    return note.key
  })
  t.match(await check(directory), { batches: 2, findings: [], refused: [] })
  await ledger.lawless(async (dio) => void ((await dio.load(Note, key)).text = 'his'), mallory)
  const { batches, findings, refused } = await check(directory)
  t.equal(batches, 3)
  t.strictSame(findings, [], 'it is no damage')
  t.match(refused, [{ sequence: 3, code: 'NOT_AUTHORIZED', message: /holds no key/, signers: [mallory.id] }])
})

await t.test('content that is gone, and that only such a batch drops, is damage as for every reader', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-refused-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const { ledger, storage } = await ledgerIn(directory)
  const body = await ledger.use(async (chain, { view }) => {
    await chain.pinRootKeys([root.id])
    const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
    dio.store({ text: 'x'.repeat(20_000) }, { type: Note })
    await dio.commit()
    return Array.from({ length: 100 }, (_, i) => i + 1).find((number) => view.hasBody(number)) ?? 0
  })
  const one = { from: body, to: body }
  await ledger.drops([[one]])
  await ledger.use((_, { view }) => view.rotate())
  t.match(await check(directory), { findings: [], refused: [{ code: 'BODY_IN_USE' }] })
  const gone = { numbers: [one], before: Infinity }
  t.ok((await freeDropped({ storage, crypto, keys: ledger.keys }, gone, new AbortController().signal)) > 0)
  t.match((await check(directory)).findings, [{ kind: 'group', group: body }])
})

/** A chain that anybody may open who has its directory. */
async function ledgerIn(directory: string): Promise<{ ledger: Distributed; storage: FileStorage }> {
  const suite: AeadSuite = AEAD_AES_256_GCM
  const identity = { rootKey: crypto.randomBytes(32), chainId: crypto.randomBytes(16), suite }
  const storage = new FileStorage(directory)
  await storage.replaceSmall(PLAIN_KEY_FILE, encodePlainKey(identity))
  return {
    ledger: new Distributed(deriveChainKeys(crypto, identity.rootKey, identity.chainId, suite), storage),
    storage,
  }
}
