/** A chain that others change too: nothing is changed but in turn, and what came before the turn is seen. */
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { type MemoryChain, openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import type { WriterTurn } from '../../../src/engine/chain/writer-turn.js'
import { type BatchBytes, MemoryStorage, readBatches } from '../../../src/engine/log/index.js'
import { RecordStore } from '../../../src/engine/transaction/record-store.js'
import type { CommitTransaction, ReceiveBatch } from '../../../src/engine/transaction/record-store.js'

const KIND = 20
const nothing = (): void => undefined
const COMMIT: CommitTransaction = {
  isDurable: true,
  moreBytes: 0,
  settle: nothing,
  finish: nothing,
  onApplied: nothing,
}
const RECEIVE: ReceiveBatch = {
  isDurable: false,
  mayMiss: false,
  validate: () => Promise.resolve([]),
  onApplied: nothing,
}

interface Waiting {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

function waiting(): Waiting {
  let settle: Omit<Waiting, 'promise'> = { resolve: nothing, reject: nothing }
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...settle }
}

class TestTurn implements WriterTurn {
  isHeld = false
  asked = 0
  received = 0
  readonly appended: number[] = []
  #waiting = waiting()

  acquire(): Promise<void> | undefined {
    this.asked++
    return this.isHeld ? undefined : this.#waiting.promise
  }

  onAppended({ headSequence }: { headSequence: number }): void {
    this.appended.push(headSequence)
  }

  hold(): () => void {
    return nothing
  }

  onDropped(): void {
    throw new Error('nothing is dropped here')
  }

  onReceived(): void {
    this.received++
  }

  giveBack(): Promise<number> {
    return Promise.resolve(0)
  }

  give(): void {
    this.isHeld = true
    this.#waiting.resolve()
  }

  /** It was asked for again before it was given: as when it came and went at once. */
  giveTooLate(): void {
    this.#waiting.resolve()
    this.#waiting = waiting()
  }

  refuse(error: unknown): void {
    this.#waiting.reject(error)
  }
}

async function copies(): Promise<{ one: MemoryChain; other: MemoryChain; next: () => Promise<BatchBytes> }> {
  const one = await openMemoryChain({ crypto: nativeCrypto })
  const storage = new MemoryStorage()
  const other = await openMemoryChain({ crypto: nativeCrypto, keys: one.keys, storage })
  const next = async (): Promise<BatchBytes> => {
    const { sequence } = await one.view.durableEnd()
    for await (const { bytes } of readBatches({ ...one, crypto: nativeCrypto }, sequence, sequence)) return bytes
    throw new Error('nothing was committed')
  }
  return { one, other, next }
}

function put(store: RecordStore, low: number, byte: number, reads?: number): Promise<void> {
  const transaction = store.begin()
  if (reads !== undefined) transaction.get(KIND, 1, reads)
  transaction.put(KIND, 1, low, Uint8Array.of(byte))
  return store.commit(transaction, COMMIT)
}

const storeOf = ({ view }: MemoryChain): RecordStore => new RecordStore(view, { isListening: false, note: nothing })

await t.test('a commit waits for the turn, and takes in before it what others have made', async (t) => {
  const { one, other, next } = await copies()
  const turn = new TestTurn()
  other.view.shareWith(turn)
  const store = storeOf(other)
  const blind = put(store, 5, 50)
  const reading = put(store, 6, 60, 1)
  reading.catch(nothing)
  one.view.put(KIND, 1, 1, Uint8Array.of(7))
  await one.view.commit()
  const { asked } = turn
  await store.receive([await next()], RECEIVE)
  t.equal(turn.asked, asked, 'what comes from elsewhere needs no turn')
  t.strictSame(turn.appended, [1])
  t.equal(other.view.get(KIND, 1, 5), undefined)
  turn.giveTooLate()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(other.view.get(KIND, 1, 5), undefined, 'it is asked for until it is held')
  turn.give()
  await blind
  t.strictSame(other.view.get(KIND, 1, 5), Uint8Array.of(50))
  await t.rejects(reading, { code: 'CONFLICT' }, 'what it had read was changed before its turn came')
  t.strictSame(turn.appended, [1, 2])
  await one.close()
  await other.close()
})

await t.test('while it is held nothing waits, and a turn that cannot come is told', async (t) => {
  const { other } = await copies()
  const turn = new TestTurn()
  other.view.shareWith(turn)
  turn.isHeld = true
  await other.view.reserve(100, false)
  t.equal(other.view.reserve(100, false), undefined)
  turn.isHeld = false
  const store = storeOf(other)
  const late = put(store, 1, 1)
  turn.refuse(Object.assign(new Error('away'), { name: 'AteError', code: 'READ_ONLY' }))
  await t.rejects(late, { code: 'READ_ONLY' })
  t.equal(other.view.pendingBytes, 0, 'nothing was changed')
  await t.rejects(other.view.compact(), { code: 'NOT_SUPPORTED' })
  await other.close()
})
