/** The overlay of a chain in use, which can tell what refers to bodies: counted when that is first asked for, kept right from then on. */
import type { IndexReader } from '../../index/index-reader.js'
import { Overlay } from '../../index/overlay.js'
import { OverlaidIndex } from '../overlaid-index.js'
import type { BodyReferences } from './body-references.js'
import { countAll, countDeleted, countPut } from './count-references.js'
import type { FindReferences } from './live-bodies.js'

export class CountedOverlay extends Overlay {
  readonly #index: IndexReader
  /** What it knows, over the index. */
  readonly latest: OverlaidIndex
  #references: BodyReferences | undefined

  constructor(index: IndexReader) {
    super()
    this.#index = index
    this.latest = new OverlaidIndex(index, () => this)
  }

  /** The same finder each time. BODY_DAMAGED. */
  references(findReferences: FindReferences): BodyReferences {
    return (this.#references ??= countAll(findReferences, this.#index, this))
  }

  override put(transaction: number, kind: number, high: number, low: number, value: Uint8Array | null): void {
    if (this.#references !== undefined) countPut(this.#references, this.latest, { kind, high, low, value })
    super.put(transaction, kind, high, low, value)
  }

  override deleteRange(transaction: number, kind: number, high: number, from: number, to: number): void {
    if (this.#references !== undefined) countDeleted(this.#references, this.latest, { kind, high, from, to })
    super.deleteRange(transaction, kind, high, from, to)
  }
}
