/** Takes the replayed batches of a log that is being opened into the index: all but those that are refused. */
import { AteError } from '../error.js'
import { IndexReader } from '../index/index-reader.js'
import type { IndexWriter } from '../index/index-writer.js'
import { LeafSeal } from '../index/leaf-seal.js'
import type { Judged } from '../log/doubts.js'
import type { NumberRange, ReplayedBatch } from '../log/types.js'
import { BatchGate, type JudgeBatch, type JudgedBatch, type JudgedState, type RefusedBatch } from './batch-gate.js'
import { BODY_PLACE_KIND, bodyPlaceHigh } from './body-place.js'
import type { BodyReferences } from './compaction/body-references.js'
import { countAll, countChanges } from './compaction/count-references.js'
import { DroppedPlaces, type DroppedPlacesOptions } from './compaction/dropped-places.js'
import { FLUSH_BYTES, flushToEnd, pointBehind } from './index-follower.js'
import { Memtable } from './memtable.js'
import type { FindReferences } from './compaction/live-bodies.js'
import { OverlaidIndex } from './overlaid-index.js'
import { receivedChanges } from './received-changes.js'

export interface ReplayIntakeOptions extends DroppedPlacesOptions {
  allowDamage?: boolean
  judge?: JudgeBatch | undefined
  onRefused?: ((refused: RefusedBatch) => void) | undefined
}

export class ReplayIntake {
  /** What was replayed and the index has not taken in. */
  memtable: Memtable
  /** Batches that were read. */
  count = 0
  /** The index has taken in some of them. */
  isIndexAhead = false
  #judged: { dropped: NumberRange[]; refused: number[] } = { dropped: [], refused: [] }
  readonly #index: IndexWriter
  readonly #options: ReplayIntakeOptions
  readonly #dropped: DroppedPlaces
  #gate: BatchGate | undefined
  #before: JudgedState | undefined
  /** Counted when the first drop is judged. */
  #references: BodyReferences | undefined

  constructor(index: IndexWriter, options: ReplayIntakeOptions) {
    this.#index = index
    this.#options = options
    this.#dropped = new DroppedPlaces(options)
    this.memtable = new Memtable(index.state)
  }

  /** The index knows nothing of this log. */
  beginAnew(): void {
    this.#index.clear()
    this.memtable = new Memtable(this.#index.state)
    this.#references = undefined
  }

  /** NOT_SUPPORTED for a batch that must be judged when nobody can. */
  async take(batch: ReplayedBatch): Promise<void> {
    if (batch.sequence === 1 && this.#index.state.point !== undefined) this.beginAnew()
    this.count++
    if (batch.authorship === undefined || this.#isLenient) return this.#keep(batch)
    this.#gate ??= this.#makeGate()
    await this.#keepJudged(this.#gate.take(batch, batch.authorship))
  }

  /** The log is read to its end. */
  async end(): Promise<void> {
    if (this.#gate !== undefined) await this.#keepJudged(this.#gate.end())
  }

  /** What the batches drop that count, and which count for nothing, of those judged since it was last asked. */
  takeJudged(): Judged {
    const judged = this.#judged
    this.#judged = { dropped: [], refused: [] }
    return judged
  }

  /** Whoever looks into a damaged log sees what there is. */
  get #isLenient(): boolean {
    return this.#options.judge === undefined && this.#options.allowDamage === true
  }

  #makeGate(): BatchGate {
    const { store, crypto, keys, judge } = this.#options
    if (judge === undefined)
      throw new AteError(
        'NOT_SUPPORTED',
        'The chain is of distributed trust, and this program cannot judge its batches.',
      )
    const index = new IndexReader(store, new LeafSeal(crypto, keys))
    const records = new OverlaidIndex(index, () => this.memtable.overlay)
    this.#onFlushed = () => index.refresh()
    this.#before = {
      get: (...where) => records.get(...where),
      range: (...where) => records.range(...where),
      floor: (...where) => records.floor(...where),
      hasBody: (body) => records.get(BODY_PLACE_KIND, bodyPlaceHigh(body), body) !== undefined,
      references: (find: FindReferences) => (this.#references ??= countAll(find, index, this.memtable.overlay)),
    }
    return new BatchGate(crypto, judge, this.#before)
  }

  #onFlushed: () => void = () => undefined

  async #keepJudged(judged: Iterable<JudgedBatch>): Promise<void> {
    for (const { batch, refusal } of judged) {
      if (refusal === undefined) await this.#keep(batch)
      else {
        this.#judged.refused.push(batch.sequence)
        this.memtable.addRefused(batch.groups, pointBehind(batch))
        this.#options.onRefused?.(refusal)
      }
    }
  }

  async #keep(batch: ReplayedBatch): Promise<void> {
    for (const range of batch.dropped) this.#judged.dropped.push(range)
    await this.#dropped.free(batch, this.memtable)
    if (this.#references !== undefined && this.#before !== undefined)
      countChanges(this.#references, this.#before, receivedChanges(batch.records))
    this.memtable.addBatch(batch.records, batch.groups, pointBehind(batch), batch.dropped)
    if (this.memtable.bytes < FLUSH_BYTES) return
    flushToEnd(this.#index, this.memtable)
    this.memtable = new Memtable(this.memtable)
    this.isIndexAhead = true
    this.#onFlushed()
  }
}
