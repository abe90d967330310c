/**
 * The commit worker: a thread that owns the log and writes the index, so that requests never wait for a disk.
 * Its file work is synchronous on purpose: the thread has nothing else to do.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { ChainWriter } from '../../engine/chain/chain-writer.js'
import type { ReceiveRequest, WriterStatus } from '../../engine/chain/committer.js'
import type { FindReferences } from '../../engine/chain/compaction/live-bodies.js'
import { deriveChainKeys } from '../../engine/crypto/chain-keys.js'
import { AteError } from '../../engine/error.js'
import type { OrderedStore } from '../../engine/index/ordered-store.js'
import { AnchorFile } from './anchor-file.js'
import { encodePlaces, type FromWorker, toPlainError, type ToWorker } from './commit-messages.js'
import { CommitDecoder } from './commit-encoding.js'
import type { CommitWorkerData } from './commit-worker-data.js'
import { FileStorage } from './file-storage.js'
import { loadJudge } from './load-judge.js'
import { markIndexBroken, openIndexToWrite, reopenIndexToWrite, withStore } from './index-directory.js'
import { nativeCrypto } from './native-crypto.js'
import { paced } from './pace.js'
import { demandFlagDown } from './wanted.js'

/** The index follows the log at the latest after this long, so that opening replays little. */
const INDEX_INTERVAL_MS = 3000

const port = parentPort
if (port === null) throw new AteError('BAD_ARGUMENT', 'the commit worker must be started as a worker thread')
const decoder = new CommitDecoder()
let answerDropping: (isAllowed: boolean) => void = () => undefined
let answerRepacking: (isDone: boolean) => void = () => undefined
let answerTurn: (isGiven: boolean) => void = () => undefined
const send = (message: FromWorker): void => port.postMessage(message)

async function run(data: CommitWorkerData): Promise<void> {
  const writer = await open(data)
  writer.onDropping = (bytes, outwaitsReaders) => {
    send({ type: 'dropping', bytes, outwaitsReaders })
    return new Promise((resolve) => (answerDropping = resolve))
  }
  writer.onRepacking = (work) => {
    send({ type: 'repacking', work })
    return new Promise((resolve) => (answerRepacking = resolve))
  }
  writer.onTurn = () => {
    send({ type: 'turn' })
    return new Promise((resolve) => (answerTurn = resolve))
  }
  writer.onTurnOver = (status, dropped) => send({ type: 'turn-over', status, dropped })
  writer.onIndexed = (transaction, leaves) => send({ type: 'indexed', transaction, changedLeaves: [...leaves] })
  send({ type: 'opened', nextGroup: writer.nextGroup, status: writer.status, trust: writer.trust })
  let isVerified = false
  let isVerifying = false
  const timer = setInterval(() => {
    if (writer.flushIndex() || isVerified || isVerifying) return
    isVerifying = true
    writer.verifyIndex().then((outcome) => {
      isVerifying = false
      if (outcome === false) {
        markIndexBroken(data.indexDirectory)
        send({ type: 'failed', error: toPlainError(indexDamaged()) })
      }
      isVerified = outcome !== undefined
    }, reportFailure)
  }, INDEX_INTERVAL_MS)
  port?.on('message', (message: ToWorker) => {
    if (message.type === 'close') clearInterval(timer)
    serve(writer, message).catch(reportFailure)
  })
}

const onNotice = (message: string): void => send({ type: 'notice', message })

function reportFailure(error: unknown): void {
  send({ type: 'failed', error: toPlainError(error) })
}

function indexDamaged(): AteError {
  return new AteError('CHAIN_DAMAGED', 'the index is not the one that was written last', {
    hint: 'close the chain and open it again: it is rebuilt from the log',
  })
}

async function open(data: CommitWorkerData): Promise<ChainWriter> {
  const { indexDirectory } = data
  const { opened } = await withStore(
    openIndexToWrite(indexDirectory, onNotice),
    () => reopenIndexToWrite(indexDirectory, onNotice),
    (store) => openWriter(data, store),
  )
  return opened
}

async function openWriter(data: CommitWorkerData, store: OrderedStore): Promise<ChainWriter> {
  return await ChainWriter.open({
    // What is committed to a copy is read again to be brought to the server.
    storage: new FileStorage(data.directory, { isReadBack: data.isServed }),
    crypto: nativeCrypto,
    keys: deriveChainKeys(nativeCrypto, data.rootKey, data.chainId, data.suite),
    store,
    clock: Date.now,
    anchor: data.anchorFile === undefined ? undefined : new AnchorFile(data.anchorFile),
    readOnly: false,
    acceptRollback: data.acceptRollback,
    isServed: data.isServed,
    onNotice,
    onProgress: paced((doneBytes, totalBytes) => send({ type: 'progress', doneBytes, totalBytes })),
    beforeBatch: () => demandFlagDown(data.givenUp),
    nextTurn,
    findReferences: await loadFindReferences(data),
    judge: await loadJudge(data.judgeModule),
    onRefused: ({ error, ...refused }) => send({ type: 'refused', ...refused, error: toPlainError(error) }),
  })
}

/** What records refer to is the business of who puts them, which this thread knows by name only. */
async function loadFindReferences({ referencesModule }: CommitWorkerData): Promise<FindReferences | undefined> {
  if (referencesModule === undefined) return undefined
  // A module of this program, named by this program.
  const module = (await import(referencesModule)) as { findReferences: FindReferences }
  return module.findReferences
}

async function serve(writer: ChainWriter, message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'commit':
      return commit(writer, message.transaction, writer.submit(decoder.decode(message)))
    case 'receive':
      return receive(writer, message.request)
    case 'rotate':
      return answerRoom(writer.rotate())
    case 'make-room':
      return answerRoom(writer.makeRoom())
    case 'index-seen':
      writer.noteIndexSeen()
      return
    case 'compact':
      return compact(writer, message.isShared)
    case 'drop':
      answerDropping(message.isAllowed)
      return
    case 'repacked':
      answerRepacking(message.isDone)
      return
    case 'turn-given':
      answerTurn(message.isGiven)
      return
    case 'close':
      await writer.close()
      send({ type: 'closed' })
      port?.close()
      return
    default:
      message satisfies never
  }
}

async function commit(
  writer: ChainWriter,
  transaction: number,
  durable: ReturnType<ChainWriter['submit']>,
): Promise<void> {
  try {
    const { places, status } = await durable
    send({ type: 'receipt', transaction, places: encodePlaces(places), status })
  } catch (error) {
    send({ type: 'commit-failed', transaction, error: toPlainError(error) })
  }
}

async function receive(writer: ChainWriter, request: ReceiveRequest): Promise<void> {
  const { transaction } = request
  try {
    await writer.receive(request, ({ places, status }) =>
      send({ type: 'receipt', transaction, places: encodePlaces(places), status }),
    )
  } catch (error) {
    send({ type: 'commit-failed', transaction, error: toPlainError(error) })
  }
}

async function compact(writer: ChainWriter, isShared: boolean): Promise<void> {
  try {
    send({ type: 'compacted', report: await writer.compact(isShared), status: writer.status })
  } catch (error) {
    send({ type: 'not-compacted', error: toPlainError(error), status: writer.status })
  }
}

async function answerRoom(answer: Promise<WriterStatus>): Promise<void> {
  try {
    send({ type: 'room', status: await answer })
  } catch (error) {
    send({ type: 'no-room', error: toPlainError(error) })
  }
}

// workerData is what `worker-committer.ts` passed: both sides are this program.
run(workerData as CommitWorkerData).catch((error: unknown) => {
  send({ type: 'failed', error: toPlainError(error) })
  port.close()
})
