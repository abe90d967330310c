/**
 * One compaction: finds the bodies that nothing refers to in one state of the index, names them in drops that are durable
 * before anything is removed, and gives back their space; then records that count no more are forgotten
 * (`docs/architecture.md`, Compaction).
 */
import type { ChainKeys } from '../../crypto/chain-keys.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { AteError, isAteError } from '../../error.js'
import { IndexScan } from '../../index/index-scan.js'
import type { LeafRecord } from '../../index/leaf.js'
import type { LeafSeal } from '../../index/leaf-seal.js'
import type { OrderedStore, StoreView } from '../../index/ordered-store.js'
import { MAX_DROPPED_BODIES } from '../../limits.js'
import { encodeDrop, type Log } from '../../log/index.js'
import type { BatchJudge } from '../../log/chain-state.js'
import type { LogStorage } from '../../log/storage.js'
import { DROP_NUMBER, GROUP_DROP, type GroupDraft, type NumberRange } from '../../log/types.js'
import { BODY_PLACE_KIND, type BodyPlace, decodeBodyPlace } from '../body-place.js'
import type { IndexFollower } from '../index-follower.js'
import { Forgetting, type ForgettingAttempts } from './forgetting.js'
import { type FindReferences, LiveBodies, type RecordContent } from './live-bodies.js'
import type { CompactionReport } from './compaction-report.js'
import { NOTHING_TO_REPACK, RECORDS_AT_ONCE } from './repack.js'
import type { RepackWork, RewriteWork } from './rewrite-work.js'
import { findRepackWork } from './repack-work.js'
import type { SpaceFreer } from './space-freer.js'

/** Ranges that one drop names: their spelling stays below what a commit may always use. */
const DROP_RANGES = 4096
/** What a drop takes in the log: its spelling, and a batch around it. */
const RANGE_BYTES = 11
const DROP_BATCH_BYTES = 1024
/** What a record takes in the log beside its value. */
const RECORD_BYTES = 19

/** Numbers of bodies, ascending. */
export type Dropped = readonly NumberRange[]

export interface CompactorParts {
  store: OrderedStore
  seal: LeafSeal
  crypto: CryptoProvider
  keys: ChainKeys
  judge: BatchJudge
  storage: LogStorage
  log: Pick<
    Log,
    'allowDrops' | 'availableBytes' | 'closedSegments' | 'forgotten' | 'makeRoom' | 'rotate' | 'setForgotten'
  >
  follower: IndexFollower
  freer: SpaceFreer
  /** Kept from one compaction to the next. */
  attempts: ForgettingAttempts
  findReferences: FindReferences
  /** Everything submitted before is in the follower when it resolves. */
  settle: () => Promise<unknown>
  /** Appends a batch of one group, durable and taken in when it resolves. */
  append: (group: GroupDraft) => Promise<unknown>
  /**
   * Where others change the chain too: does it in turn; undefined when the turn does not come. Then who follows gives the space back
   * when it is sure that the drop is part of the chain.
   */
  inTurn: ((drop: () => Promise<Dropped>) => Promise<Dropped | undefined>) | undefined
  /** Nobody needs the records of batches that count no more: to begin with them, or to judge by them. */
  mayForget: boolean
  /** So many bytes are set aside and, if that is asked for, nobody reads an older state any more; false: not now. */
  mayDrop: (bytes: number, outwaitsReaders: boolean) => Promise<boolean>
  /** Whoever puts the records writes anew; false: not all of it. */
  rewrite: (work: RewriteWork) => Promise<boolean>
  nextTurn: () => Promise<void>
  isStopped: () => boolean
}

export class Compactor {
  readonly #parts: CompactorParts
  #live: LiveBodies
  readonly #report: CompactionReport = { bodies: 0, bytes: 0, freedBytes: 0, isDeferred: false }
  #obstacle: AteError | undefined
  #work: RepackWork | undefined
  #isRepacked = false
  /** What the records take, by a look at an index that is whole; undefined: nobody knows, and nothing is forgotten. */
  #recordBytes: number | undefined

  constructor(parts: CompactorParts) {
    this.#parts = parts
    this.#live = new LiveBodies(parts.findReferences)
  }

  /** To be told every record that is submitted from before `run` to its end: what it refers to lives. */
  note(record: RecordContent): void {
    // What was placed after the state that is looked at is not looked at.
    if (record.kind === BODY_PLACE_KIND) return
    try {
      this.#live.note(record)
    } catch (error) {
      this.giveUp(error)
    }
  }

  /** Others have dropped them: who does it again is refused. */
  noteDropped(dropped: Dropped): void {
    for (const { from, to } of dropped) for (let body = from; body <= to; body++) this.#live.referred.add(body)
  }

  /** Nothing more is dropped: `run` rejects with `error`. What is committed must not suffer from it. */
  giveUp(error: unknown): void {
    this.#obstacle ??= isAteError(error)
      ? error
      : new AteError('BAD_FORMAT', 'a record cannot be read', { cause: error })
  }

  /** Throws NO_SPACE, NOT_SUPPORTED, CHAIN_DAMAGED, BODY_DAMAGED, BAD_FORMAT, WRITE_FAILED, INPUT_OUTPUT. */
  async run(): Promise<CompactionReport> {
    const { mayDrop, isStopped } = this.#parts
    const forgetting = new Forgetting({
      ...this.#parts,
      look: (act) => this.#look(act),
      verify: (scan) => this.#scanAll(scan, ignore),
      setAside: (bytes) => mayDrop(bytes, false),
    })
    const forgets = this.#parts.mayForget
    if (forgets) this.#report.freedBytes += await forgetting.finish()
    await this.#dropBodies()
    await this.#deleteUnused()
    const liveBytes = this.#recordBytes
    if (forgets && liveBytes !== undefined && !isStopped()) this.#report.freedBytes += await forgetting.run(liveBytes)
    return this.#report
  }

  async #dropBodies(): Promise<void> {
    let bytes = await this.#survey()
    if (await this.#repack()) {
      // What was referred to then may not be any more. Noted from here on is what is put after this look has begun.
      this.#live = new LiveBodies(this.#parts.findReferences)
      bytes = await this.#survey()
    }
    if (bytes === 0 || this.#parts.isStopped()) return
    // Waited for without a view of the index, which grows while there is one. What is dead stays dead.
    this.#report.isDeferred = !(await this.#mayDrop(bytes))
    if (!this.#report.isDeferred) await this.#look((scan) => this.#dropDead(scan))
  }

  /** Access keys that nothing is sealed with any more: the newest one is named by its rule. */
  async #deleteUnused(): Promise<void> {
    if (this.#recordBytes === undefined || this.#obstacle !== undefined) return
    const unused = [...this.#live.keys.unused()]
    for (let at = 0; at < unused.length && !this.#parts.isStopped(); at += RECORDS_AT_ONCE) {
      const some = unused.slice(at, at + RECORDS_AT_ONCE).filter((key) => this.#live.keys.isUnused(key))
      if (!(await this.#parts.rewrite({ ...NOTHING_TO_REPACK, again: [], unused: some }))) return
      this.#recordBytes -= some.reduce((sum, { bytes }) => sum + bytes + RECORD_BYTES, 0)
    }
  }

  async #survey(): Promise<number> {
    let bytes = 0
    this.#recordBytes = undefined
    await this.#look(async (scan) => {
      bytes = await this.#findDead(scan)
      if (!this.#isRepacked) this.#work = await findRepackWork({ ...this.#parts, scan, live: this.#live })
    })
    return bytes
  }

  /** Bodies of which little is left become dead ones. False when there are none. */
  async #repack(): Promise<boolean> {
    const { rewrite, isStopped } = this.#parts
    const work = this.#work
    this.#isRepacked = true
    if (work === undefined) return false
    for (let at = 0; at < work.records.length && !isStopped(); at += RECORDS_AT_ONCE)
      await rewrite({ ...work, records: work.records.slice(at, at + RECORDS_AT_ONCE), again: [] })
    this.#work = undefined
    return true
  }

  /** False when there is nothing to look at now. */
  async #look(act: (scan: IndexScan) => Promise<unknown>): Promise<boolean> {
    const view = await this.#openView()
    if (view === undefined) return false
    try {
      const { seal, crypto, keys } = this.#parts
      await act(new IndexScan(view, seal, crypto, keys))
      return true
    } finally {
      view.close()
    }
  }

  /** The index as it is between two flushes; what is newer has been noted. */
  async #openView(): Promise<StoreView | undefined> {
    const { follower, store, settle, isStopped } = this.#parts
    if (isStopped()) return undefined
    await settle()
    follower.flushSoon()
    while (!follower.isIdle) await follower.flushed()
    // From here on without a pause: half a flush is no state of the chain.
    if (!follower.isWhole || isStopped()) return undefined
    follower.eachPut((record) => this.note(record))
    return store.view?.()
  }

  /** The bytes that it takes in the log to drop what is dead; 0: nothing is, or it is to stop. */
  async #findDead(scan: IndexScan): Promise<number> {
    const { log } = this.#parts
    if (scan.isEmpty) return 0
    let recordBytes = 0
    const isWhole = await this.#scanAll(scan, (record) => {
      if (record.kind > BODY_PLACE_KIND) recordBytes += record.value.length + RECORD_BYTES
      this.#live.note(record)
    })
    if (!isWhole) return 0
    this.#recordBytes = recordBytes
    let bytes = RANGE_BYTES * log.closedSegments().size
    let isAny = false
    for (const { from, to } of this.#live.placed.without(this.#live.referred)) {
      bytes += RANGE_BYTES + DROP_BATCH_BYTES * (1 / DROP_RANGES + (to - from) / MAX_DROPPED_BODIES)
      isAny = true
    }
    return isAny ? Math.ceil(bytes) + 2 * DROP_BATCH_BYTES : 0
  }

  /** False: it is to stop. CHAIN_DAMAGED for leaves that are not those that were written. */
  async #scanAll(scan: IndexScan, take: (record: LeafRecord) => void): Promise<boolean> {
    const { nextTurn, isStopped } = this.#parts
    const steps = scan.all(take)
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) {
      if (isStopped()) return false
      await nextTurn()
    }
    if (!step.value || scan.point === undefined)
      throw new AteError('CHAIN_DAMAGED', 'the index is not the one that was written last: nothing is dropped')
    return true
  }

  async #mayDrop(bytes: number): Promise<boolean> {
    const { log, mayDrop } = this.#parts
    if (log.availableBytes(true) < bytes) await log.makeRoom(bytes)
    return await mayDrop(bytes, true)
  }

  async #dropDead(scan: IndexScan): Promise<void> {
    const { nextTurn, isStopped } = this.#parts
    let chunk: BodyPlace[] = []
    let ranges = 0
    for await (const place of this.#deadPlaces(scan)) {
      if (chunk.at(-1)?.body !== place.body - 1) ranges++
      if (ranges > DROP_RANGES || chunk.length === MAX_DROPPED_BODIES) {
        await this.#drop(chunk)
        await nextTurn()
        chunk = []
        ranges = 1
      }
      if (isStopped()) return
      chunk.push(place)
    }
    await this.#drop(chunk)
  }

  /** Only those of closed segments: in the one being written, bytes that are not there are the end of what was written. */
  async *#deadPlaces(scan: IndexScan): AsyncGenerator<BodyPlace> {
    const { log, freer, nextTurn } = this.#parts
    const closed = log.closedSegments()
    let leaves = 0
    for (const records of scan.upTo(BODY_PLACE_KIND)) {
      for (const { low, value } of records) {
        if (!this.#live.isDead(low)) continue
        const place = decodeBodyPlace(low, value)
        if (closed.has(place.segment) && (await freer.canFree(place.segment))) yield place
      }
      if (++leaves % 64 === 0) await nextTurn()
    }
  }

  async #drop(chunk: readonly BodyPlace[]): Promise<void> {
    const { log, follower, freer, inTurn } = this.#parts
    if (chunk.length === 0) return
    await log.allowDrops()
    if (inTurn !== undefined) {
      const dropped = await inTurn(async () => rangesOf(await this.#appendDrop(chunk)))
      if (dropped === undefined) this.#report.isDeferred = true
      return
    }
    // An index that has taken in the drop knows no more where the bodies lie: their space is given back before.
    follower.hold()
    try {
      this.#report.freedBytes += await freer.free(await this.#appendDrop(chunk))
    } finally {
      follower.release()
    }
  }

  /** Those that are dead still. */
  async #appendDrop(chunk: readonly BodyPlace[]): Promise<readonly BodyPlace[]> {
    if (this.#obstacle !== undefined) throw this.#obstacle
    const places = chunk.filter(({ body }) => this.#live.isDead(body))
    if (places.length === 0 || this.#parts.isStopped()) return []
    await this.#parts.append({ kind: GROUP_DROP, number: DROP_NUMBER, parts: [encodeDrop(rangesOf(places))] })
    this.#report.bodies += places.length
    this.#report.bytes += places.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
    return places
  }
}

function rangesOf(places: readonly BodyPlace[]): NumberRange[] {
  const ranges: NumberRange[] = []
  for (const { body } of places) {
    const last = ranges.at(-1)
    if (last?.to === body - 1) last.to = body
    else ranges.push({ from: body, to: body })
  }
  return ranges
}

function ignore(): void {
  // Only whether the leaves are right counts.
}
