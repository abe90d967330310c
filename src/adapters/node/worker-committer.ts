/** The commit worker as the record view sees it. One request of each kind is answered in order. */
import { Worker } from 'node:worker_threads'
import type { RefusedBatch } from '../../engine/chain/batch-gate.js'
import type { CompactionReport } from '../../engine/chain/compaction/compaction-report.js'
import type {
  CommitReceipt,
  CommitRequest,
  Committer,
  ReceiveRequest,
  WriterStatus,
} from '../../engine/chain/committer.js'
import { AteError } from '../../engine/error.js'
import { decodePlaces, fromPlainError, type FromWorker, type ToWorker } from './commit-messages.js'
import { CommitEncoder } from './commit-encoding.js'
import type { CommitWorkerData } from './commit-worker-data.js'
import { SharedSignal } from './wanted.js'

interface Pending<T> {
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

/** What the worker says when the log is open. */
export type OpenedWriter = Pick<Extract<FromWorker, { type: 'opened' }>, 'nextGroup' | 'status' | 'trust'>

export interface WorkerCommitterOptions extends Omit<CommitWorkerData, 'givenUp'> {
  /** Ends the opening. */
  signal: AbortSignal | undefined
  onNotice: (message: string) => void
  onRefused: ((refused: RefusedBatch) => void) | undefined
  onProgress: (doneBytes: number, totalBytes: number) => void
}

export class WorkerCommitter implements Committer {
  onIndexed: Committer['onIndexed'] = () => {}
  onDropping: Committer['onDropping'] = () => Promise.resolve(false)
  onRepacking: Committer['onRepacking'] = () => Promise.resolve(false)
  onTurn: Committer['onTurn'] = () => Promise.resolve(false)
  onTurnOver: Committer['onTurnOver'] = () => {}
  onCompacted: Committer['onCompacted'] = () => {}
  readonly #worker: Worker
  readonly #options: WorkerCommitterOptions
  readonly #encoder = new CommitEncoder()
  readonly #commits = new Map<number, Pending<CommitReceipt>>()
  readonly #rooms: Pending<WriterStatus>[] = []
  readonly #compactions: Pending<CompactionReport>[] = []
  #opening: Pending<OpenedWriter> | undefined
  #closing: Pending<void> | undefined
  /** The thread keeps the process, as a new one does. */
  #isKeeping = true
  #failure: unknown

  private constructor(options: WorkerCommitterOptions, givenUp: Int32Array) {
    this.#options = options
    const { directory, indexDirectory, anchorFile, rootKey, chainId, suite, acceptRollback, isServed } = options
    const { referencesModule, judgeModule } = options
    const workerData: CommitWorkerData = {
      directory,
      indexDirectory,
      anchorFile,
      rootKey,
      chainId,
      suite,
      acceptRollback,
      isServed,
      referencesModule,
      judgeModule,
      givenUp,
    }
    this.#worker = new Worker(new URL('./commit-worker.js', import.meta.url), { workerData })
    this.#worker.on('message', (message: FromWorker) => {
      this.#receive(message)
      this.#keepProcess()
    })
    this.#worker.on('error', (error) => this.#failAll(error))
    this.#worker.on('exit', () => this.#failAll(new AteError('CHAIN_CLOSED', 'the commit worker has ended')))
  }

  /** Resolves when the log is verified and the index is up to it. The thread has let go of everything when it rejects. */
  static async open(options: WorkerCommitterOptions): Promise<OpenedWriter & { committer: WorkerCommitter }> {
    using signal = new SharedSignal(options.signal)
    const committer = new WorkerCommitter(options, signal.flag)
    const opened = await new Promise<OpenedWriter>((resolve, reject) => {
      committer.#opening = { resolve, reject }
    })
    return { committer, ...opened }
  }

  submit(request: CommitRequest): Promise<CommitReceipt> {
    return new Promise((resolve, reject) => {
      this.#commits.set(request.transaction, { resolve, reject })
      this.#send(this.#encoder.encode(request), reject)
    })
  }

  receive(request: ReceiveRequest, onKept: (receipt: CommitReceipt) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      // At once: the next message may be that the index has taken it in.
      const onReceipt = (receipt: CommitReceipt): void => {
        try {
          onKept(receipt)
          resolve()
        } catch (cause) {
          // It is in the log: what is in memory does not go with it any more, and must not be committed behind it.
          reject(new AteError('WRITE_FAILED', 'what was made elsewhere is kept, and could not be read', { cause }))
        }
      }
      this.#commits.set(request.transaction, { resolve: onReceipt, reject })
      this.#send({ type: 'receive', request }, reject)
    })
  }

  rotate(): Promise<WriterStatus> {
    return this.#askForRoom({ type: 'rotate' })
  }

  makeRoom(): Promise<WriterStatus> {
    return this.#askForRoom({ type: 'make-room' })
  }

  compact(isShared: boolean): Promise<CompactionReport> {
    return new Promise((resolve, reject) => {
      this.#compactions.push({ resolve, reject })
      this.#send({ type: 'compact', isShared }, reject)
    })
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#closing = { resolve, reject }
      this.#send({ type: 'close' }, reject)
    })
  }

  /** Both go through the queue of the log: answers come in the order of the questions. */
  #askForRoom(message: ToWorker): Promise<WriterStatus> {
    return new Promise((resolve, reject) => {
      this.#rooms.push({ resolve, reject })
      this.#send(message, reject)
    })
  }

  #send(message: ToWorker, reject: (error: unknown) => void): void {
    if (this.#failure === undefined) this.#post(message)
    else reject(this.#failure)
    this.#keepProcess()
  }

  /** Until everybody who waits has his answer. A chain that is only open keeps no program from ending. */
  #keepProcess(): void {
    const isAwaited =
      this.#commits.size + this.#rooms.length + this.#compactions.length > 0 ||
      this.#opening !== undefined ||
      this.#closing !== undefined
    if (isAwaited === this.#isKeeping) return
    this.#isKeeping = isAwaited
    if (isAwaited) this.#worker.ref()
    else this.#worker.unref()
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'opened':
        this.#opening?.resolve(message)
        this.#opening = undefined
        return
      case 'receipt': {
        const { transaction, places, status } = message
        this.#takeCommit(transaction)?.resolve({ transaction, places: decodePlaces(places), status })
        return
      }
      case 'commit-failed':
        this.#takeCommit(message.transaction)?.reject(fromPlainError(message.error))
        return
      case 'room':
        this.#rooms.shift()?.resolve(message.status)
        return
      case 'no-room':
        this.#rooms.shift()?.reject(fromPlainError(message.error))
        return
      case 'indexed':
        this.onIndexed(message.transaction, message.changedLeaves)
        this.#post({ type: 'index-seen' })
        return
      case 'dropping':
        void this.onDropping(message.bytes, message.outwaitsReaders).then((isAllowed) =>
          this.#post({ type: 'drop', isAllowed }),
        )
        return
      case 'repacking':
        void this.onRepacking(message.work).then((isDone) => this.#post({ type: 'repacked', isDone }))
        return
      case 'turn':
        void this.onTurn().then((isGiven) => this.#post({ type: 'turn-given', isGiven }))
        return
      case 'turn-over':
        this.onTurnOver(message.status, message.dropped)
        return
      case 'compacted':
        this.onCompacted(message.status)
        this.#compactions.shift()?.resolve(message.report)
        return
      case 'not-compacted':
        this.onCompacted(message.status)
        this.#compactions.shift()?.reject(fromPlainError(message.error))
        return
      case 'notice':
        this.#options.onNotice(message.message)
        return
      case 'refused':
        this.#options.onRefused?.({ ...message, error: fromPlainError(message.error) })
        return
      case 'progress':
        this.#options.onProgress(message.doneBytes, message.totalBytes)
        return
      case 'closed':
        this.#closing?.resolve()
        this.#closing = undefined
        return
      case 'failed':
        this.#failAll(fromPlainError(message.error))
        return
      default:
        message satisfies never
    }
  }

  #takeCommit(transaction: number): Pending<CommitReceipt> | undefined {
    const pending = this.#commits.get(transaction)
    this.#commits.delete(transaction)
    return pending
  }

  #failAll(error: unknown): void {
    this.#failure ??= error
    this.#opening?.reject(error)
    this.#closing?.reject(error)
    for (const { reject } of [...this.#commits.values(), ...this.#rooms, ...this.#compactions]) reject(error)
    this.#commits.clear()
    this.#compactions.length = 0
    this.#rooms.length = 0
    this.#opening = undefined
    this.#closing = undefined
  }
}
