/** A chain as a program uses it: transactions on its objects, and an orderly end. */
import type { BackupOptions, BackupReport, ChainKeeping, ExportOptions } from '../chain/chain-keeping.js'
import type { CompactionReport } from '../chain/compaction/compaction-report.js'
import { AteError, errorCode } from '../error.js'
import type { ObjectCompactor } from './compactor.js'
import { Dio } from './dio.js'
import { DioMut } from './dio-mut.js'
import type { ChainAccess, TransactOptions } from './chain-access.js'
import type { Dao } from './dao.js'
import type { DataType, InputOf } from './data-type.js'
import { Hooks } from './hooks/hooks.js'
import { type ChainLock, type LockOptions, Locks, type WaitOptions } from './locks.js'
import { millisecondsOf } from './hybrid-clock.js'
import { keyOfName } from './object-names.js'
import type { KeyId } from '../trust/keys.js'
import { AteSession } from '../trust/session.js'
import { TRUST_KIND } from './kinds.js'
import { encodeRootKeys, refuseManyKeys } from './rule-record.js'
import { ROOT_KEYS_PLACE } from './trust-state.js'
import { formatKey, type ObjectKey } from './object-key.js'
import { SharedLocks } from './shared-locks.js'
import { Queue, type QueueOptions, type WorkOptions } from './queue.js'
import { type Answerer, invoke, type InvokeOptions, serve, type Service } from './service.js'
import type { BatchBytes, ReceivedBatch } from '../log/index.js'
import { ObjectStore, type ObjectStoreOptions, type ReceiveObjects } from './object-store.js'

export interface ChainOptions extends ObjectStoreOptions {
  /** Without: none. */
  hooks?: Hooks<Chain> | undefined
  name: string
  compact: () => Promise<CompactionReport>
  /** Without it: NOT_SUPPORTED. */
  keeping?: ChainKeeping | undefined
  /** What is deleted before. */
  compactors?: readonly ObjectCompactor[] | undefined
  /** Called once, after everything is durable. */
  onClose: () => Promise<void>
}

const DEFAULT_RETRIES = 10
const NOTHING_ELSE = { moreBytes: 0, settle: nothing, finish: nothing, onApplied: nothing }
/** Who holds no key: he reads and changes what everybody may. */
const NOBODY = new AteSession()

/**
 * A chain that is open: transactions on its objects, queues, services, locks, and an orderly end. Made by `ChainBuilder`.
 * After `close` everything is refused with CHAIN_CLOSED.
 */
export class Chain implements ChainAccess, AsyncDisposable {
  /** As it was opened. */
  readonly name: string
  /** Tells this opening of the chain from others. */
  readonly instance: string
  readonly #objects: ObjectStore
  readonly #compact: () => Promise<CompactionReport>
  readonly #keeping: ChainKeeping | undefined
  readonly #compactors: readonly ObjectCompactor[]
  readonly #onClose: () => Promise<void>
  readonly #hooks: Hooks<Chain>
  readonly #locks = new Locks()
  readonly #sharedLocks: SharedLocks | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor({ name, compact, compactors = [], keeping, onClose, ...objects }: ChainOptions) {
    this.name = name
    this.#compact = compact
    this.#keeping = keeping
    this.#compactors = compactors
    this.#hooks = objects.hooks ?? new Hooks<Chain>()
    this.#objects = new ObjectStore({ ...objects, hooks: this.#hooks })
    this.#onClose = onClose
    this.#sharedLocks = objects.shared === undefined ? undefined : new SharedLocks(this)
    this.instance = formatKey({ high: this.#objects.random.next(), low: this.#objects.random.next() })
  }

  /** Reads the chain as it is now, whatever is committed later. */
  dio(session: AteSession = NOBODY): Dio {
    this.#objects.demandOpen()
    return new Dio(this.#objects, session, this.#objects.records.snapshot())
  }

  /** Begins a transaction. */
  dioMut(session: AteSession = NOBODY): DioMut {
    this.#objects.demandOpen()
    return new DioMut(this.#objects, session)
  }

  /**
   * Runs `work` in a transaction and commits it; begins again when something that it read has been changed meanwhile, so
   * `work` must do nothing else that counts. Resolves with what `work` came to. CONFLICT when it never succeeded.
   */
  async transact<T>(work: (dio: DioMut) => Promise<T> | T, options: TransactOptions = {}): Promise<T> {
    const { retries = DEFAULT_RETRIES, session, ...commit } = options
    const { shared } = this.#objects
    if (shared?.isStrict === true) await shared.refresh()
    for (let left = retries; ; left--) {
      const dio = this.dioMut(session)
      try {
        const outcome = await work(dio)
        await dio.commit(commit)
        dio.end()
        return outcome
      } catch (error) {
        if (errorCode(error) !== 'CONFLICT' || left === 0) throw error
      }
    }
  }

  /** The queue of that name, made when there is none; its messages are of one type. */
  queue<D extends DataType>(name: string, type: D, options?: QueueOptions): Promise<Queue<D>> {
    return Queue.open(this, name, type, options)
  }

  /** Answers requests to a service as they come, until the signal; resolves when nothing is under way any more. */
  serve<Q extends DataType, A extends DataType>(
    service: Service<Q, A>,
    answerer: Answerer<Q, A>,
    options: WorkOptions & QueueOptions = {},
  ): Promise<void> {
    return serve(this, service, answerer, options)
  }

  /** Asks a service and waits for its answer. SERVICE_FAILED with what its handler said, TIMED_OUT, ABORTED. */
  invoke<Q extends DataType, A extends DataType>(
    service: Service<Q, A>,
    request: InputOf<Q>,
    options?: InvokeOptions,
  ): Promise<Dao<A>> {
    return invoke(this, service, request, options)
  }

  /** Waits until a lock is free, and takes it. TIMED_OUT, ABORTED. */
  lock(name: string, options?: WaitOptions): Promise<ChainLock> {
    return (this.#sharedLocks ?? this.#locks).lock(name, options)
  }

  /** Takes a lock, undefined when somebody has it. NOT_SUPPORTED for a chain of a server: that has to be asked. */
  tryLock(name: string, options?: LockOptions): ChainLock | undefined {
    if (this.#sharedLocks !== undefined)
      throw new AteError('NOT_SUPPORTED', 'Who has a lock says the server.', { hint: 'Use lock with timeoutMs: 0.' })
    return this.#locks.tryLock(name, options)
  }

  /** The time of the chain, milliseconds since 1970. */
  nowMs(): number {
    return this.#objects.nowMs()
  }

  /** When the latest change was made that this chain knows, milliseconds since 1970; 0 before the first. */
  get latestMs(): number {
    return millisecondsOf(this.#objects.clock.last)
  }

  /** The key of an object that is found by a name; names of different purposes never meet. */
  keyOfName(purpose: string, name: string): ObjectKey {
    return keyOfName(this.#objects.crypto, purpose, name)
  }

  /**
   * Gives a chain that holds nothing its root keys: who may change what has no rule. One that has some must have these.
   * NOT_AUTHORIZED; BAD_ARGUMENT for more than 256.
   */
  async pinRootKeys(keys: readonly KeyId[]): Promise<void> {
    refuseManyKeys(keys)
    const { trust, records } = this.#objects
    const isEmpty = this.dio().rootKeys().next().done === true && !trust.hasRules
    if (trust.rootKeys.length > 0 || !isEmpty) {
      trust.demandRootKeys(keys)
      return
    }
    const transaction = records.begin()
    transaction.put(TRUST_KIND, 0, ROOT_KEYS_PLACE, encodeRootKeys(keys))
    await records.commit(transaction, { isDurable: this.#objects.durability !== 'memory', ...NOTHING_ELSE })
    trust.setRootKeys(keys)
  }

  /** `close` was called: nothing can be done with it any more. */
  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Takes in the next batches of the chain, as another copy of it made them (`proofRuns`); resolves with what they are.
   * Subscribers see each as a commit of somebody else, and transactions conflict with it. CHAIN_GAP, CHAIN_FORKED, OTHER_CHAIN,
   * BATCH_REFUSED, or what the chain's validation says: nothing of any is kept then.
   *
   * @internal
   */
  receive(run: readonly BatchBytes[], options: Partial<ReceiveObjects> = {}): Promise<ReceivedBatch[]> {
    const isDurable = this.#objects.durability !== 'memory'
    return this.#objects.receive(run, { isDurable, mayMiss: false, ...options })
  }

  /** Begins a new segment of the log: everything committed so far lies in closed ones. NO_SPACE, READ_ONLY. */
  async rotate(): Promise<void> {
    await this.#log.rotate()
  }

  /**
   * Copies everything committed so far to a directory: what is new, when a backup of the chain lies there already. The chain
   * can be used meanwhile. Verified when it resolves; when it rejects, the backup before is as it was. ABORTED, BAD_ARGUMENT
   * (`withKey`), CHAIN_FORKED, CHAIN_LOCKED, CHAIN_NEWER, NOT_A_CHAIN, NOT_SUPPORTED (in memory), NO_SPACE, OTHER_CHAIN, READ_ONLY, ...
   */
  async backup(directory: string, options?: BackupOptions): Promise<BackupReport> {
    return await this.#log.backup(directory, options)
  }

  /**
   * A range of the log in pieces, sealed as it is: what `importRange` takes. Only what is durable. Rejects with BAD_ARGUMENT for
   * a range that the log has not, CHAIN_DAMAGED.
   */
  exportRange(options?: ExportOptions): AsyncIterable<Uint8Array> {
    return this.#log.exportRange(options)
  }

  /** Everything committed so far is as durable as the chain makes it when it resolves. */
  async sync(): Promise<void> {
    const { records, durability, shared } = this.#objects
    await records.sync()
    if (durability === 'server') await shared?.accepted()
  }

  /**
   * What others had committed to a chain of a server is here when it resolves; at once for a chain that nobody else changes. While
   * the server is away: TIMED_OUT in the recovery modes 'sync' and 'readonly-sync', at once in the others.
   */
  async refresh(): Promise<void> {
    this.#objects.demandOpen()
    await this.#objects.shared?.refresh()
  }

  /**
   * Gives the space of what was replaced and deleted back, while the chain is in use. Resolves with what was dropped; what lies
   * in the segment that is being written stays. Before, the chain's compactors delete what is not needed. NO_SPACE,
   * READ_ONLY, CHAIN_DAMAGED, CHAIN_CLOSED, INPUT_OUTPUT, and what a compactor throws.
   */
  async compact(): Promise<CompactionReport> {
    this.#objects.demandOpen()
    if (!this.#objects.records.isReadOnly) for (const compactor of this.#compactors) await compactor.run(this)
    return await this.#compact()
  }

  /** Waits for what is committed and lets go of the chain. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #log(): ChainKeeping {
    this.#objects.demandOpen()
    if (this.#keeping === undefined) throw new AteError('NOT_SUPPORTED', 'This chain has no log to copy.')
    return this.#keeping
  }

  /** Opens the plugins. HOOK_FAILED, TIMED_OUT, ABORTED: the chain is to be closed then. */
  async openPlugins(signal?: AbortSignal): Promise<void> {
    await this.#hooks.open(this, signal)
  }

  async #close(): Promise<void> {
    const failure = await this.#hooks.close(this)
    this.#locks.close()
    await this.#sharedLocks?.close()
    try {
      await this.#objects.records.sync()
    } finally {
      try {
        this.#objects.close()
        await this.#objects.feed.close()
      } finally {
        await this.#onClose()
      }
    }
    if (failure instanceof Error) throw failure
  }
}

function nothing(): void {
  // A commit that is what it is.
}
