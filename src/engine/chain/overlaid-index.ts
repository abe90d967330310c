/** Records of the index, or of whatever else is read, with changes over them that it has not taken in. */
import type { IndexReader } from '../index/index-reader.js'
import type { RecordItem } from '../index/record-item.js'
import type { Overlay } from '../index/overlay.js'
import { mergedFloor, mergedRange } from './merged-range.js'

export type RecordSource = Pick<IndexReader, 'get' | 'range' | 'floor'>

export class OverlaidIndex implements RecordSource {
  readonly #index: RecordSource
  readonly #overlay: () => Overlay

  constructor(index: RecordSource, overlay: () => Overlay) {
    this.#index = index
    this.#overlay = overlay
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    const bucket = this.#overlay().bucket(kind, high)
    const node = bucket?.nodes.get(low)
    if (node !== undefined) return node.value ?? undefined
    return bucket?.isCleared(low) === true ? undefined : this.#index.get(kind, high, low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const bucket = this.#overlay().bucket(kind, high)
    if (bucket === undefined) return this.#index.range(kind, high, from, to, limit)
    return mergedRange(bucket, this.#index, kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    const bucket = this.#overlay().bucket(kind, high)
    if (bucket === undefined) return this.#index.floor(kind, high, low)
    return mergedFloor(bucket, this.#index, kind, high, low)
  }
}
