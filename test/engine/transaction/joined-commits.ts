/** Commits that come faster than the log is written go into it together. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { type MemoryChain, openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { signingKeyFromSeed } from '../../../src/engine/crypto/signature.js'
import { type CommitTransaction, RecordStore } from '../../../src/engine/transaction/record-store.js'

const SHOWN = 32
const LATEST = 40

async function opened(): Promise<{ chain: MemoryChain; store: RecordStore }> {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  const listener = { isListening: false, note: () => undefined }
  return { chain, store: new RecordStore(chain.view, listener, (kind) => kind === SHOWN) }
}

type Options = Partial<Pick<CommitTransaction, 'isDurable' | 'taken' | 'signers'>>

function put(store: RecordStore, low: number, value: number, options: Options = {}): Promise<void> {
  const transaction = store.begin()
  transaction.put(SHOWN, 0, low, Uint8Array.of(value))
  transaction.put(LATEST, 0, 0, Uint8Array.of(value))
  const nothing = (): void => undefined
  const rest = { moreBytes: 0, settle: nothing, finish: nothing, onApplied: nothing }
  return store.commit(transaction, { isDurable: true, ...rest, ...options })
}

const batches = ({ view }: MemoryChain): number => view.writerStatus.headSequence

await t.test('commits made one after another are a batch each', async (t) => {
  const { chain, store } = await opened()
  for (let i = 0; i < 3; i++) await put(store, i, i)
  t.equal(batches(chain), 3)
})

await t.test('commits that come at the same moment, or while one is written, are one batch', async (t) => {
  const { chain, store } = await opened()
  const first = Array.from({ length: 32 }, (_, i) => put(store, i, i))
  await Promise.resolve()
  const others = Array.from({ length: 32 }, (_, i) => put(store, 32 + i, 32 + i))
  await Promise.all([...first, ...others])
  t.equal(batches(chain), 2)
  const { storage, keys } = chain
  const again = await openMemoryChain({ crypto: nativeCrypto, storage, keys })
  for (let i = 0; i < 64; i++) t.strictSame(again.view.get(SHOWN, 0, i), Uint8Array.of(i))
})

await t.test('a record that others are to see in every state is never changed twice in a batch', async (t) => {
  const { chain, store } = await opened()
  await Promise.all([1, 2, 3, 4].map((value) => put(store, 7, value)))
  t.equal(batches(chain), 4)
  t.strictSame(chain.view.get(SHOWN, 0, 7), Uint8Array.of(4))
})

await t.test('what is signed is a batch of its own, behind what came before it', async (t) => {
  const { chain, store } = await opened()
  const signers = [signingKeyFromSeed(new Uint8Array(64).fill(1))]
  // The chain is not of distributed trust: its log leaves the signatures out.
  await Promise.all([
    put(store, 1, 1),
    put(store, 2, 2),
    put(store, 3, 3, { signers: () => signers }),
    put(store, 4, 4),
  ])
  t.equal(batches(chain), 4)
})

await t.test(
  'a commit that waits for others resolves when they have taken it, and those behind it gather',
  async (t) => {
    const { chain, store } = await opened()
    const waiting: (() => void)[] = []
    const taken = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
    let done = 0
    const all = Array.from({ length: 10 }, async (_, i) => {
      await put(store, i, i, { isDurable: false, taken })
      done++
    })
    for (let i = 0; i < 20; i++) await nextTurn()
    t.equal(done, 0)
    t.equal(batches(chain), 2, 'two are on the way')
    all.push(put(store, 10, 10, { isDurable: false, taken }), put(store, 11, 11, { isDurable: false, taken }))
    for (let i = 0; i < 20; i++) await nextTurn()
    t.equal(batches(chain), 2, 'more than two are not')
    const local = put(store, 12, 12)
    await local
    t.equal(batches(chain), 3, 'who does not wait for others is not held up, and takes along what gathered')
    while (done < 10) {
      for (const resolve of waiting.splice(0)) resolve()
      await nextTurn()
    }
    for (let i = 0; i < 20; i++) {
      for (const resolve of waiting.splice(0)) resolve()
      await nextTurn()
    }
    await Promise.all(all)
    t.equal(batches(chain), 3)
  },
)

await t.test('what gathers is in the log when the store is closed', async (t) => {
  const { chain, store } = await opened()
  const all = [1, 2, 3].map((i) => put(store, i, i, { isDurable: false }))
  await Promise.all(all)
  store.close()
  await chain.close()
  const again = await openMemoryChain({ crypto: nativeCrypto, storage: chain.storage, keys: chain.keys })
  for (const i of [1, 2, 3]) t.strictSame(again.view.get(SHOWN, 0, i), Uint8Array.of(i))
})

await t.test('a commit that fails at once is told to all that gathered for it, and later ones go on', async (t) => {
  const { chain, store } = await opened()
  const { view } = chain
  const commit = view.commit.bind(view)
  view.commit = () => {
    throw new Error('a defect')
  }
  const waiting = await Promise.allSettled([1, 2, 3].map((i) => put(store, i, i)))
  for (const result of waiting) t.match(result, { reason: { message: 'a defect' } })
  const alone = put(store, 4, 4, { isDurable: true, taken: () => Promise.resolve() })
  await t.rejects(alone, { message: 'a defect' })
  view.commit = commit
  await put(store, 5, 5)
  t.equal(batches(chain), 1)
})
