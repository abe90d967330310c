/**
 * A chain in a directory, opened for a mount: the lock, the keys, the log and the index, wired together. Writable chains get
 * a commit worker; read-only ones need none.
 */
import { join } from 'node:path'
import { ChainView } from '../../engine/chain/chain-view.js'
import { ChainWriter } from '../../engine/chain/chain-writer.js'
import type { Committer, WriterStatus } from '../../engine/chain/committer.js'
import { type ChainKeys, deriveChainKeys, wipeChainKeys } from '../../engine/crypto/chain-keys.js'
import { wipe } from '../../engine/crypto/wipe.js'
import { AteError, errorCode } from '../../engine/error.js'
import { IndexReader } from '../../engine/index/index-reader.js'
import { LeafSeal } from '../../engine/index/leaf-seal.js'
import { MemoryStore } from '../../engine/index/memory-store.js'
import type { OrderedStore } from '../../engine/index/ordered-store.js'
import { batchVerifier, createLog, damageText, describeChain, GroupReader } from '../../engine/log/index.js'
import { type ChainTrust, GROUP_CONTENT } from '../../engine/log/types.js'
import { AnchorFile } from './anchor-file.js'
import type {
  ChainIdentity,
  ChainHandle,
  ChainStatus,
  CreateChain,
  OpenChain,
  OpenChainOptions,
} from './chain-handle.js'
import { loadJudge } from './load-judge.js'
import { lockChain, type ChainLock } from './chain-lock.js'
import { anchorName, createIdentity, openIdentity } from './chain-secret.js'
import { keepingOf } from './chain-keeping.js'
import { chainStatus } from './chain-status.js'
import { collectGarbage } from './collect-garbage.js'
import { fileError } from './file-error.js'
import { FileStorage } from './file-storage.js'
import { indexInMemory, openIndexToRead, withStore } from './index-directory.js'
import { LmdbStore } from './lmdb-store.js'
import { makeDirectory } from './make-directory.js'
import { nativeCrypto } from './native-crypto.js'
import { paced } from './pace.js'
import { wantedOnThread } from './wanted.js'
import { WorkerCommitter } from './worker-committer.js'

const INDEX_DIRECTORY = 'index'

export const openChain: OpenChain = async (options) => {
  const storage = new FileStorage(options.directory)
  await checkManifest(storage, options)
  const lock = lockChain(options.directory, { readOnly: options.readOnly })
  return releasingOnFailure(lock, async () =>
    openWith(await openIdentity(storage, options.secret), options, storage, lock),
  )
}

/** Before a key is derived. Where damage is allowed, the log is opened without a manifest that cannot be read. */
async function checkManifest(storage: FileStorage, { allowDamage }: OpenChainOptions): Promise<void> {
  try {
    await describeChain(storage)
  } catch (error) {
    const code = errorCode(error)
    if (!allowDamage || (code !== 'CHAIN_DAMAGED' && code !== 'INPUT_OUTPUT')) throw error
  }
}

export const createChain: CreateChain = async (options) => {
  makeChainDirectory(options.directory)
  const storage = new FileStorage(options.directory)
  const lock = lockChain(options.directory, { readOnly: false })
  return releasingOnFailure(lock, async () => {
    if ((await storage.list()).includes('manifest')) {
      throw new AteError('CHAIN_EXISTS', `there is a chain in ${options.directory} already`)
    }
    const identity = await createIdentity(storage, options.secret, options.keyBits)
    const keys = deriveChainKeys(nativeCrypto, identity.rootKey, identity.chainId, identity.suite)
    await createLog({ storage, crypto: nativeCrypto, keys, clock: Date.now, trust: options.trust })
    return openWith(identity, options, storage, lock)
  })
}

function makeChainDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o700)
  } catch (error) {
    throw fileError('make', 'the directory of the log', error)
  }
}

type Releasable = Pick<ChainLock, 'release'>

/** What is open of a chain, whichever way. */
interface OpenParts {
  committer: Committer | undefined
  store: OrderedStore
  nextGroup: number
  status: WriterStatus
  trust: ChainTrust
  /** The writer of a chain opened for reading, to be closed with it. */
  reading: ChainWriter | undefined
}

async function releasingOnFailure<T>(lock: Releasable, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openWith(
  identity: ChainIdentity,
  options: OpenChainOptions,
  storage: FileStorage,
  lock: ChainLock,
): Promise<ChainHandle> {
  const keys = deriveChainKeys(nativeCrypto, identity.rootKey, identity.chainId, identity.suite)
  const isReadOnly = options.readOnly || options.allowDamage
  const parts = isReadOnly ? await openReading(keys, options, storage) : await openWriting(identity, options)
  wipe(identity.rootKey)
  const { committer, store, nextGroup, status, trust, reading } = parts
  const groups = new GroupReader({ storage, crypto: nativeCrypto, keys })
  const view = new ChainView({
    index: new IndexReader(store, new LeafSeal(nativeCrypto, keys)),
    committer,
    openGroup: ({ body, random, segment, position, storedBytes }, into, stored) =>
      groups.open({ number: body, kind: GROUP_CONTENT, random, segment, position, storedBytes }, into, stored),
    verifyBatch: batchVerifier(nativeCrypto, keys, trust),
    bodyCache: options.bodyCache,
    nextGroup,
    status,
    collectGarbage,
  })
  const close = async (): Promise<void> => {
    try {
      await committer?.close()
      await reading?.close()
      lock.finish()
    } finally {
      await store.close()
      groups.close()
      wipeChainKeys(keys)
      lock.release()
    }
  }
  const source = { storage, crypto: nativeCrypto, keys }
  const keeping = keepingOf({ directory: options.directory, ...source, view })
  const face = { status: (): ChainStatus => chainStatus(keys, view), compact: () => view.compact(), close }
  return { ...keeping, view, keys, trust, source, ...face }
}

async function openWriting(identity: ChainIdentity, options: OpenChainOptions): Promise<OpenParts> {
  const indexDirectory = join(options.directory, INDEX_DIRECTORY)
  const { committer, ...opened } = await WorkerCommitter.open({
    ...identity,
    directory: options.directory,
    indexDirectory,
    anchorFile: anchorFile(identity.chainId, options),
    acceptRollback: options.acceptRollback,
    isServed: options.isServed === true,
    referencesModule: options.referencesModule,
    judgeModule: options.judgeModule,
    onRefused: options.onRefused,
    signal: options.signal,
    onNotice: options.onNotice,
    onProgress: (doneBytes, totalBytes) => options.onProgress({ phase: 'reading the log', doneBytes, totalBytes }),
  })
  try {
    const store = new LmdbStore(indexDirectory, { readOnly: true })
    return { committer, store, ...opened, reading: undefined }
  } catch (error) {
    await committer.close()
    throw error
  }
}

/** Everything on this thread, and nothing is written. Behind damage, what the index says may not be in the log any more. */
async function openReading(keys: ChainKeys, options: OpenChainOptions, storage: FileStorage): Promise<OpenParts> {
  const { onNotice, onProgress, onRefused, acceptRollback, allowDamage, signal } = options
  const judge = await loadJudge(options.judgeModule)
  const file = anchorFile(keys.chainId, options)
  const { store, opened: reading } = await withStore(
    allowDamage ? new MemoryStore() : openIndexToRead(join(options.directory, INDEX_DIRECTORY), onNotice),
    () => indexInMemory(onNotice),
    (store) =>
      ChainWriter.open({
        storage,
        crypto: nativeCrypto,
        keys,
        store,
        clock: Date.now,
        anchor: file === undefined ? undefined : new AnchorFile(file, { readOnly: true }),
        readOnly: true,
        acceptRollback,
        allowDamage,
        isServed: options.isServed,
        judge,
        onRefused,
        onFinding: (finding) => onNotice(damageText(finding)),
        onNotice,
        onProgress: paced((doneBytes, totalBytes) => onProgress({ phase: 'reading the log', doneBytes, totalBytes })),
        beforeBatch: signal === undefined ? undefined : wantedOnThread(signal),
      }),
  )
  const { nextGroup, status, trust } = reading
  return { committer: undefined, store, nextGroup, status, trust, reading }
}

function anchorFile(chainId: Uint8Array, options: OpenChainOptions): string | undefined {
  return options.anchorDirectory === undefined ? undefined : join(options.anchorDirectory, anchorName(chainId))
}
