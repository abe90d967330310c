/** A RecordView that does next to nothing, so that what is measured on it is the file system alone. */
import { BodyReferences } from '../../src/engine/chain/compaction/body-references.js'
import type { FindReferences } from '../../src/engine/chain/compaction/live-bodies.js'
import type { BodySlice, RecordItem, RecordView } from '../../src/engine/chain/record-view.js'

const ARENA_BYTES = 1024 * 1024

interface Bucket {
  values: Map<number, Uint8Array>
  sorted: number[] | undefined
}

export class PlainView implements RecordView {
  readonly readOnly = false
  pendingBytes = 0
  readonly inFlightBytes = 0
  readonly #kinds: Map<number, Bucket>[] = Array.from({ length: 256 }, () => new Map<number, Bucket>())
  readonly #bodies: Uint8Array[] = []
  /** Used over and over, as the real arenas are: memory touched for the first time would be most of what is measured. */
  readonly #arena = new Uint8Array(ARENA_BYTES)
  #used = 0

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    return this.#kinds[kind]?.get(high)?.values.get(low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const bucket = this.#bucket(kind, high)
    const lows = (bucket.sorted ??= [...bucket.values.keys()].sort((a, b) => a - b))
    let start = 0
    for (let end = lows.length; start < end;) {
      const middle = (start + end) >>> 1
      if ((lows[middle] ?? 0) < from) start = middle + 1
      else end = middle
    }
    const items: RecordItem[] = []
    for (let i = start; i < lows.length && items.length < limit; i++) {
      const low = lows[i] ?? 0
      if (low > to) break
      items.push({ low, value: bucket.values.get(low) ?? new Uint8Array() })
    }
    return items
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    return this.range(kind, high, 0, low, Infinity).at(-1)
  }

  /** Nobody asks. */
  hasBody(): boolean {
    return true
  }

  references(findReferences: FindReferences): BodyReferences {
    return new BodyReferences(findReferences)
  }

  put(kind: number, high: number, low: number, value: Uint8Array): void {
    const bucket = this.#bucket(kind, high)
    const { size } = bucket.values
    bucket.values.set(low, value)
    if (bucket.values.size !== size) bucket.sorted = undefined
    this.pendingBytes += value.length
  }

  delete(kind: number, high: number, low: number): void {
    const bucket = this.#bucket(kind, high)
    if (bucket.values.delete(low)) bucket.sorted = undefined
  }

  deleteRange(kind: number, high: number, from: number, to: number): void {
    for (const { low } of this.range(kind, high, from, to, Infinity)) this.delete(kind, high, low)
  }

  stage(length: number): Uint8Array {
    if (this.#used + length > ARENA_BYTES) this.#used = 0
    this.#used += length
    this.pendingBytes += length
    return this.#arena.subarray(this.#used - length, this.#used)
  }

  addBody(staged: Uint8Array): BodySlice {
    return { body: this.#bodies.push(staged) - 1, offset: 0, length: staged.length }
  }

  readBody(body: number): Uint8Array {
    return this.#bodies[body] ?? new Uint8Array()
  }

  copyBody({ body, offset, length }: BodySlice, target: Uint8Array, targetStart: number): undefined {
    target.set(this.readBody(body).subarray(offset, offset + length), targetStart)
  }

  reserve(): undefined {
    return undefined
  }

  fail(): void {
    // Nothing fails here.
  }

  commit(): Promise<void> {
    this.pendingBytes = 0
    return Promise.resolve()
  }

  #bucket(kind: number, high: number): Bucket {
    const highs = this.#kinds[kind]
    if (highs === undefined) throw new Error('no such kind')
    let bucket = highs.get(high)
    if (bucket === undefined) {
      bucket = { values: new Map(), sorted: undefined }
      highs.set(high, bucket)
    }
    return bucket
  }
}
