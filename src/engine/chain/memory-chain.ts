/** A chain in memory, on one thread: for tests, temporary data and browsers. */
import { deriveChainKeys, type ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { aeadSuiteOfKeyBits } from '../crypto/suites.js'
import { IndexReader } from '../index/index-reader.js'
import { LeafSeal } from '../index/leaf-seal.js'
import { MemoryStore } from '../index/memory-store.js'
import type { OrderedStore } from '../index/ordered-store.js'
import { batchVerifier, createLog, GroupReader } from '../log/index.js'
import { MemoryStorage } from '../log/memory-storage.js'
import type { LogStorage } from '../log/storage.js'
import { type AnchorStore, type ChainTrust, GROUP_CONTENT } from '../log/types.js'
import type { JudgeBatch, RefusedBatch } from './batch-gate.js'
import type { BodyCacheOptions } from './body-reader.js'
import { ChainView, type ChainViewOptions } from './chain-view.js'
import { ChainWriter } from './chain-writer.js'
import type { FindReferences } from './compaction/live-bodies.js'

export interface MemoryChainOptions extends Pick<ChainViewOptions, 'collectGarbage' | 'readers'> {
  crypto: CryptoProvider
  /** Given to reopen what an earlier chain wrote; otherwise all are made. */
  keys?: ChainKeys
  /** Bits of the AES keys that are made. The default is 256. */
  keyBits?: 128 | 192 | 256 | undefined
  storage?: LogStorage
  store?: OrderedStore
  anchor?: AnchorStore
  readOnly?: boolean
  isServed?: boolean | undefined
  findReferences?: FindReferences
  bodyCache?: BodyCacheOptions
  /** A segment is closed above this. */
  segmentBytes?: number
  clock?: () => number
  /** Of a chain that is made; the default is `local`. */
  trust?: ChainTrust
  judge?: JudgeBatch | undefined
  onRefused?: ((refused: RefusedBatch) => void) | undefined
}

export interface MemoryChain {
  view: ChainView
  writer: ChainWriter
  keys: ChainKeys
  storage: LogStorage
  store: OrderedStore
  trust: ChainTrust
  /** Makes everything durable and closes. The storage and the store can be opened again. */
  close(): Promise<void>
}

/** Opens the chain in `storage`, made first when there is none. */
export async function openMemoryChain(options: MemoryChainOptions): Promise<MemoryChain> {
  const {
    crypto,
    clock = Date.now,
    readOnly = false,
    storage = new MemoryStorage(),
    store = new MemoryStore(),
  } = options
  const suite = aeadSuiteOfKeyBits(options.keyBits ?? 256)
  const keys = options.keys ?? deriveChainKeys(crypto, crypto.randomBytes(32), crypto.randomBytes(16), suite)
  if (!(await storage.list()).includes('manifest'))
    await createLog({ storage, crypto, keys, clock, trust: options.trust })
  const { anchor, findReferences, segmentBytes, collectGarbage, readers, judge, onRefused, isServed } = options
  const writer = await ChainWriter.open({
    storage,
    crypto,
    keys,
    store,
    clock,
    anchor,
    readOnly,
    isServed,
    findReferences,
    segmentBytes,
    judge,
    onRefused,
  })
  const groups = new GroupReader({ storage, crypto, keys })
  const view = new ChainView({
    index: new IndexReader(store, new LeafSeal(crypto, keys)),
    committer: readOnly ? undefined : writer,
    openGroup: (place, into, stored) =>
      groups.open({ ...place, number: place.body, kind: GROUP_CONTENT }, into, stored),
    verifyBatch: batchVerifier(crypto, keys, writer.trust),
    bodyCache: options.bodyCache,
    nextGroup: writer.nextGroup,
    status: writer.status,
    collectGarbage,
    readers,
  })
  const close = async (): Promise<void> => {
    await view.commit()
    await writer.close()
    groups.close()
  }
  return { view, writer, keys, storage, store, trust: writer.trust, close }
}
