/** A chain with batches that were judged and are not taken in yet: what the batch behind them is judged by. */
import { Overlay } from '../index/overlay.js'
import type { RecordItem } from '../index/record-item.js'
import { GROUP_CONTENT, type GroupPlace, type NumberRange } from '../log/types.js'
import type { JudgedState } from './batch-gate.js'
import { BodyReferences } from './compaction/body-references.js'
import { countChanges, countDeleted, countPut } from './compaction/count-references.js'
import type { FindReferences } from './compaction/live-bodies.js'
import { OverlaidIndex } from './overlaid-index.js'
import { changesInto } from './overlay-sink.js'
import type { ReceivedChange } from './received-changes.js'

const ONE_GENERATION = 1

export class StagedState implements JudgedState {
  readonly #below: JudgedState
  readonly #overlay = new Overlay()
  readonly #records: OverlaidIndex
  readonly #sink = changesInto(this.#overlay, ONE_GENERATION)
  readonly #changes: ReceivedChange[] = []
  /** Counted when the first drop is judged, and kept right from then on. */
  #references: BodyReferences | undefined
  /** Those that came, and false for those that were dropped. */
  readonly #bodies = new Map<number, boolean>()

  constructor(below: JudgedState) {
    this.#below = below
    this.#records = new OverlaidIndex(below, () => this.#overlay)
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    return this.#records.get(kind, high, low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    return this.#records.range(kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    return this.#records.floor(kind, high, low)
  }

  hasBody(body: number): boolean {
    return this.#bodies.get(body) ?? this.#below.hasBody(body)
  }

  references(findReferences: FindReferences): BodyReferences {
    if (this.#references === undefined) {
      this.#references = new BodyReferences(findReferences, this.#below.references(findReferences))
      countChanges(this.#references, this.#below, this.#changes.splice(0))
    }
    return this.#references
  }

  take(
    { groups, dropped }: { readonly groups: readonly GroupPlace[]; readonly dropped: readonly NumberRange[] },
    changes: readonly ReceivedChange[],
  ): void {
    for (const change of changes) {
      this.#count(change)
      const { kind, high } = change
      if (!('low' in change)) this.#sink.deleteRange(kind, high, change.from, change.to)
      else if (change.value === null) this.#sink.delete(kind, high, change.low)
      else this.#sink.put(kind, high, change.low, change.value)
    }
    for (const { from, to } of dropped) for (let body = from; body <= to; body++) this.#bodies.set(body, false)
    for (const { kind, number } of groups) if (kind === GROUP_CONTENT) this.#bodies.set(number, true)
  }

  #count(change: ReceivedChange): void {
    if (this.#references === undefined) this.#changes.push(change)
    else if ('low' in change) countPut(this.#references, this.#records, change)
    else countDeleted(this.#references, this.#records, change)
  }
}
