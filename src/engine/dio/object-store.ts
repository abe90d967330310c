/** What all DIOs of a chain share: its records, its bodies, its clock, and the keys it gives out. */
import { Slab } from '../bytes/slab.js'
import type { RefusedBatch } from '../chain/batch-gate.js'
import type { RecordView } from '../chain/record-view.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { MAX_BODY_BYTES } from '../limits.js'
import type { ChainTrust } from '../log/types.js'
import type { RecordReader } from '../transaction/record-reader.js'
import type { BatchBytes, ReceivedBatch } from '../log/index.js'
import { type ReceiveBatch, RecordStore } from '../transaction/record-store.js'
import type { Durability } from './commit-options.js'
import type { SharedBy } from './shared-by.js'
import { CommitFeed } from './commit-feed.js'
import { Hooks } from './hooks/hooks.js'
import { decodeClock, HybridClock } from './hybrid-clock.js'
import { askValidators } from './judging/ask-validators.js'
import { judgeRun } from './judging/judge-run.js'
import { CHILD_KIND, CLOCK_KIND, KEY_BLOCK_KIND, OBJECT_KIND } from './kinds.js'
import { repackObjects } from './repack.js'
import { TrustState } from './trust-state.js'
import { demandTimes } from './received-times.js'
import { RandomNumbers } from './numbers.js'
import { type CopyBody, dataFrom } from './object-data.js'
import type { KeyParts } from './object-key.js'
import type { ObjectRecord } from './object-record.js'

/** Objects that share the first part of their key: neighbours in the index. */
const BLOCK_OBJECTS = 256
/** Memory that is used again by each transaction in turn. */
const SLAB_BYTES = 1024 * 1024

interface KeyBlock {
  high: number
  left: number
}

export interface ObjectStoreOptions {
  view: RecordView
  crypto: CryptoProvider
  /** Milliseconds since 1970. */
  nowMs: () => number
  /** How far times of others may lie ahead. */
  clockToleranceMs?: number | undefined
  /** What its commits are when nothing else is said: the best, but for a chain of a server. */
  durability: Durability
  /** Others change it too. */
  shared?: SharedBy | undefined
  /** The default is `local`. */
  trust?: ChainTrust
  /** Without: none. */
  hooks?: Hooks | undefined
}

export interface ReceiveObjects extends Pick<ReceiveBatch, 'isDurable' | 'mayMiss'> {
  /** With it, batches that every reader refuses are kept as refused, and it is told of them; without, they are errors. */
  onRefused?: ((refused: RefusedBatch) => void) | undefined
}

export class ObjectStore {
  readonly records: RecordStore
  /** Who is told of commits. */
  readonly feed = new CommitFeed()
  readonly crypto: CryptoProvider
  readonly clock: HybridClock
  readonly random: RandomNumbers
  readonly durability: Durability
  readonly shared: SharedBy | undefined
  /** Resolves when the server has everything. */
  readonly taken: (() => Promise<void>) | undefined
  readonly trust: TrustState
  /** Commits are signed by those whose rights they use. */
  readonly isSigned: boolean
  readonly hooks: Hooks
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly #view: RecordView
  readonly #copyBody: CopyBody
  /** Of transactions that are over. */
  #idleSlab: Slab | undefined
  #isClosed = false
  /** Root objects have blocks of their own: listing those lists the roots. */
  readonly #blocks: { root: KeyBlock | undefined; child: KeyBlock | undefined } = { root: undefined, child: undefined }
  /** Blocks of roots that are in the chain, of those given out since it was opened. */
  readonly #listedBlocks = new Set<number>()

  constructor(options: ObjectStoreOptions) {
    const { view, crypto, nowMs, clockToleranceMs, durability, trust = 'local' } = options
    const { hooks = new Hooks() } = options
    this.isSigned = trust === 'distributed'
    this.#view = view
    this.#copyBody = (slice, target, at) => view.copyBody(slice, target, at)
    this.records = new RecordStore(view, this.feed, (kind) => kind === OBJECT_KIND || kind === CHILD_KIND)
    // Signed batches say who changed what: this is nobody's change.
    if (trust !== 'distributed') {
      const onMove = (): void => this.records.noteMove()
      view.repackWith?.(repackObjects(view, onMove, (key) => this.records.noteDrop(key)))
    }
    this.crypto = crypto
    this.clock = new HybridClock(nowMs, clockToleranceMs)
    this.#observe()
    this.random = new RandomNumbers(crypto)
    this.durability = durability
    const { shared } = options
    this.shared = shared
    this.taken = shared && (() => shared.accepted())
    this.nowMs = nowMs
    this.trust = new TrustState(view)
    this.hooks = hooks
  }

  /** CHAIN_CLOSED after `close`: nothing is read from a chain that somebody else may have by then. */
  demandOpen(): void {
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
  }

  close(): void {
    this.#isClosed = true
    this.records.close()
  }

  /** Takes in batches from elsewhere: what they change is seen as commits of somebody else. See `RecordStore.receive`. */
  receive(run: readonly BatchBytes[], options: ReceiveObjects): Promise<ReceivedBatch[]> {
    this.demandOpen()
    const crypto = this.isSigned ? this.crypto : undefined
    const validate = judgeRun({
      crypto,
      onRefused: options.onRefused,
      validate: async (received, latest) => {
        demandTimes(this.clock, received.changes, latest)
        await askValidators({ hooks: this.hooks, copyBody: this.#copyBody }, received, latest)
      },
    })
    const onApplied = (): void => {
      this.trust.reload(this.#view)
      this.#observe()
    }
    return this.records.receive(run, { ...options, validate, onApplied })
  }

  /** Whatever the wall clock says, what comes next is later than what the chain holds. */
  #observe(): void {
    const bytes = this.#view.get(CLOCK_KIND, 0, 0)
    if (bytes !== undefined) this.clock.observe(decodeClock(bytes))
  }

  /** Memory for a transaction. */
  takeSlab(): Slab {
    const slab = this.#idleSlab ?? new Slab(SLAB_BYTES)
    this.#idleSlab = undefined
    return slab
  }

  /** Nobody has anything any more that was taken from it. */
  giveBack(slab: Slab): void {
    slab.reset()
    this.#idleSlab = slab
  }

  newKey(kind: 'root' | 'child'): KeyParts {
    let block = this.#blocks[kind]
    if (block === undefined || block.left === 0) {
      block = { high: this.random.next(), left: BLOCK_OBJECTS }
      this.#blocks[kind] = block
    }
    block.left--
    return { high: block.high, low: this.random.next() }
  }

  /** True when `key` is of a block of roots that the chain must list and does not yet. */
  isUnlistedBlock(high: number): boolean {
    return this.#blocks.root?.high === high && !this.#listedBlocks.has(high)
  }

  noteListed(high: number): void {
    this.#listedBlocks.add(high)
  }

  /** True when listing the blocks finds a root of this key. */
  isInBlockOfRoots(reader: RecordReader, high: number): boolean {
    return this.#blocks.root?.high === high || reader.get(KEY_BLOCK_KIND, 0, high) !== undefined
  }

  /** The bytes of fields before transformers changed them. UNKNOWN_TRANSFORMER, HOOK_FAILED. */
  undoTransforms({ transforms }: ObjectRecord, bytes: Uint8Array): Uint8Array {
    return this.hooks.transformers.undo(bytes, transforms)
  }

  /** The bytes of an object's fields as they are stored; a promise only where they must be fetched. BODY_DAMAGED. */
  dataOf({ data }: ObjectRecord): Uint8Array | Promise<Uint8Array> {
    return dataFrom(data, this.#copyBody)
  }

  /** Puts bytes into bodies of the transaction that is being applied. */
  writeBodies(data: Uint8Array): ObjectRecord['data'] {
    const slices = []
    for (let at = 0; at < data.length; at += MAX_BODY_BYTES) {
      const piece = data.subarray(at, at + MAX_BODY_BYTES)
      const staged = this.#view.stage(piece.length)
      staged.set(piece)
      slices.push(this.#view.addBody(staged, data.length))
    }
    return slices
  }
}
