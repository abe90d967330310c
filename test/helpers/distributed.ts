/** A chain of distributed trust, honest programs that open it, and one that is not. */
import { Readable } from 'node:stream'
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import type { RefusedBatch } from '../../src/engine/chain/batch-gate.js'
import type { ChainView } from '../../src/engine/chain/chain-view.js'
import { type MemoryChain, openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import type { RecordView } from '../../src/engine/chain/record-view.js'
import { type ChainKeys, deriveChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { AEAD_AES_256_GCM } from '../../src/engine/crypto/suites.js'
import { Chain } from '../../src/engine/dio/chain.js'
import type { DioMut } from '../../src/engine/dio/dio-mut.js'
import { judgeBatch } from '../../src/engine/dio/judging/judge-batch.js'
import { OBJECT_KIND, TRUST_KIND } from '../../src/engine/dio/kinds.js'
import { type ObjectKey, parseKey } from '../../src/engine/dio/object-key.js'
import { decodeObject, encodeObject, type ObjectRecord } from '../../src/engine/dio/object-record.js'
import { errorCode } from '../../src/engine/error.js'
import { findReferences } from '../../src/engine/dio/references.js'
import type { OrderedStore } from '../../src/engine/index/ordered-store.js'
import { type BatchBytes, encodeDrop, proofRuns, readBatches } from '../../src/engine/log/index.js'
import { ManifestFile } from '../../src/engine/log/manifest-file.js'
import { MemoryStorage } from '../../src/engine/log/memory-storage.js'
import type { LogStorage } from '../../src/engine/log/storage.js'
import { DROP_NUMBER, GROUP_DROP, type GroupDraft, type NumberRange } from '../../src/engine/log/types.js'
import { keyIdOf, WriteKey } from '../../src/engine/trust/keys.js'
import { AteSession } from '../../src/engine/trust/session.js'

export const crypto = nativeCrypto

export interface Opened {
  chain: Chain
  view: ChainView
  /** First number that no group has. */
  nextGroup: () => number
  refused: { sequence: number; code: string | undefined; signers: string[] }[]
  close: () => Promise<void>
}

export class Distributed {
  readonly storage: LogStorage
  readonly keys: ChainKeys

  /** With keys: another copy of that chain, which has nothing of it yet. */
  constructor(keys?: ChainKeys, storage: LogStorage = new MemoryStorage()) {
    this.storage = storage
    const make = () => deriveChainKeys(crypto, crypto.randomBytes(32), crypto.randomBytes(16), AEAD_AES_256_GCM)
    this.keys = keys ?? make()
  }

  /** An honest program with an index of its own: it reads, and judges, everything that the index does not know. */
  async open(store?: OrderedStore): Promise<Opened> {
    const refused: Opened['refused'] = []
    const onRefused = ({ sequence, error, signers }: RefusedBatch): void => {
      refused.push({ sequence, code: errorCode(error), signers: signers.map(keyIdOf) })
    }
    const opened = await this.#open(onRefused, store)
    const { view, writer } = opened
    const nextGroup = (): number => writer.nextGroup
    return { chain: chainOn(opened, view), view, nextGroup, refused, close: () => opened.close() }
  }

  /** An honest program, with a new index where none is given, closed when `work` is done. */
  async use<T>(work: (chain: Chain, opened: Opened) => Promise<T>, store?: OrderedStore): Promise<T> {
    const opened = await this.open(store)
    try {
      return await work(opened.chain, opened)
    } finally {
      await opened.close()
    }
  }

  /** A program that knows how objects are written, and of no rule. Whoever has the key of the chain can have one. */
  async lawless(work: (dio: DioMut) => unknown, ...writeKeys: WriteKey[]): Promise<void> {
    const opened = await this.#open()
    const chain = chainOn(opened, blind(opened.view))
    const dio = chain.dioMut(new AteSession({ writeKeys }))
    await work(dio)
    await dio.commit()
    await opened.close()
  }

  /** Records put as they are, as one batch signed by whoever it says. */
  async raw(work: (view: RecordView) => unknown, ...writeKeys: Pick<WriteKey, 'signing'>[]): Promise<void> {
    const opened = await this.#open()
    const { view } = opened
    await work(view)
    await view.commit({ isDurable: true, signers: writeKeys.map(({ signing }) => signing) })
    await opened.close()
  }

  /** A batch of drops as they are, each with the ranges that it names, and of what else is given. */
  async drops(ranges: readonly (readonly NumberRange[])[], ...others: readonly GroupDraft[]): Promise<void> {
    const opened = await this.#open()
    const { writer } = opened
    const dropOf = (range: readonly NumberRange[]): GroupDraft => ({
      kind: GROUP_DROP,
      number: DROP_NUMBER,
      parts: [encodeDrop(range)],
    })
    await writer.submit({ transaction: 1, isDurable: true, groups: [...others, ...ranges.map(dropOf)] })
    await opened.close()
    await (await ManifestFile.load(this.storage, crypto, this.keys)).allowDrops()
  }

  /** All batches of its log, as they are carried to others. */
  async batches(): Promise<BatchBytes[]> {
    const { storage, keys } = this
    const { headSequence } = await this.use(async (_, { view }) => view.writerStatus)
    const batches: BatchBytes[] = []
    for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, headSequence))
      batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
    return batches
  }

  #open(onRefused?: (refused: RefusedBatch) => void, store?: OrderedStore): Promise<MemoryChain> {
    const { storage, keys } = this
    const trusting = { trust: 'distributed', judge: judgeBatch, onRefused } as const
    const index = store === undefined ? {} : { store }
    return openMemoryChain({ crypto, storage, keys, ...index, ...trusting, findReferences })
  }
}

/** Its batches, those together that share signatures. */
export async function runsOf(ledger: Distributed): Promise<BatchBytes[][]> {
  const runs: BatchBytes[][] = []
  for await (const run of proofRuns(Readable.from(await ledger.batches()) as AsyncIterable<BatchBytes>)) runs.push(run)
  return runs
}

/** A record of an object, changed and put as its next version. */
export function rewrite(view: RecordView, key: ObjectKey, changes: Partial<ObjectRecord>): void {
  const { high, low } = parseKey(key)
  const bytes = view.get(OBJECT_KIND, high, low)
  const record = bytes === undefined ? undefined : decodeObject(bytes)
  if (record === undefined) throw new Error('no such object')
  const next = { ...record, revision: record.revision + 1, ...changes }
  view.put(OBJECT_KIND, high, low, encodeObject(next))
}

function chainOn(opened: MemoryChain, view: RecordView): Chain {
  return new Chain({
    name: 'ledger',
    view,
    crypto,
    nowMs: Date.now,
    durability: 'memory',
    trust: opened.trust,
    compact: () => opened.view.compact(),
    onClose: () => opened.close(),
  })
}

/** The same records, but for those that say that there are rules. */
function blind(view: ChainView): RecordView {
  return new Proxy<RecordView>(view, {
    get: (target, name) => {
      if (name === 'get')
        return (kind: number, high: number, low: number) =>
          kind === TRUST_KIND ? undefined : target.get(kind, high, low)
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
