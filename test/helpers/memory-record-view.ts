/**
 * A RecordView in plain memory for tests of what is built on one. Commits can be held back or made to fail, bodies can be
 * slow, and `reopened` gives what a crash would leave: everything up to the last durable commit.
 */
import { BodyReferences } from '../../src/engine/chain/compaction/body-references.js'
import type { FindReferences } from '../../src/engine/chain/compaction/live-bodies.js'
import type { BodySlice, RecordItem, RecordView } from '../../src/engine/chain/record-view.js'
import { AteError } from '../../src/engine/error.js'
import { MAX_BODY_BYTES } from '../../src/engine/limits.js'

type Records = Map<string, Map<number, Uint8Array>>

interface HeldCommit {
  records: Records | undefined
  bytes: number
  resolve: () => void
  reject: (error: unknown) => void
}

export class MemoryRecordView implements RecordView {
  readOnly = false
  pendingBytes = 0
  inFlightBytes = 0
  /** Commits wait for `releaseCommits`. */
  holdsCommits = false
  /** The next commits fail. */
  failsCommits = false
  /** readBody answers with promises. */
  hasSlowBodies = false
  /** What `reserve` says; set by tests of a full disk. */
  onReserve: (bytes: number, essential: boolean) => Promise<void> | undefined = () => undefined
  commits = 0
  #records: Records = new Map()
  #durable: Records = new Map()
  readonly #sorted = new Map<string, number[]>()
  readonly #bodies: { bytes: Uint8Array; length: number }[] = []
  #open: { bytes: Uint8Array; length: number } | undefined
  #held: HeldCommit[] = []

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    return this.#records.get(`${kind}:${high}`)?.get(low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const lows = this.#lows(kind, high)
    const items: RecordItem[] = []
    for (let i = lowerBound(lows, from); i < lows.length && items.length < limit; i++) {
      const low = lows[i] ?? 0
      if (low > to) break
      items.push({ low, value: this.get(kind, high, low) ?? new Uint8Array() })
    }
    return items
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    const lows = this.#lows(kind, high)
    const found = lows[lowerBound(lows, low + 1) - 1]
    return found === undefined ? undefined : { low: found, value: this.get(kind, high, found) ?? new Uint8Array() }
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
    if (!bucket.has(low)) this.#sorted.delete(`${kind}:${high}`)
    bucket.set(low, value)
    this.pendingBytes += value.length + 16
  }

  delete(kind: number, high: number, low: number): void {
    if (this.#bucket(kind, high).delete(low)) this.#sorted.delete(`${kind}:${high}`)
    this.pendingBytes += 16
  }

  deleteRange(kind: number, high: number, from: number, to: number): void {
    for (const low of this.#lows(kind, high)) if (low >= from && low <= to) this.#bucket(kind, high).delete(low)
    this.#sorted.delete(`${kind}:${high}`)
    this.pendingBytes += 32
  }

  stage(length: number): Uint8Array {
    if (length > MAX_BODY_BYTES) throw new AteError('BAD_ARGUMENT', 'too long for a body')
    this.pendingBytes += length
    return new Uint8Array(length).fill(0xee)
  }

  addBody(staged: Uint8Array): BodySlice {
    if (this.#open === undefined || this.#open.length + staged.length > MAX_BODY_BYTES) {
      this.#open = { bytes: new Uint8Array(MAX_BODY_BYTES), length: 0 }
      this.#bodies.push(this.#open)
    }
    const open = this.#open
    const slice = { body: this.#bodies.length - 1, offset: open.length, length: staged.length }
    open.bytes.set(staged, open.length)
    open.length += staged.length
    return slice
  }

  readBody(body: number): Uint8Array | Promise<Uint8Array> {
    const found = this.#bodies[body]
    if (found === undefined) {
      const error = new AteError('BODY_DAMAGED', 'no such body')
      if (this.hasSlowBodies) return Promise.reject(error)
      throw error
    }
    const bytes = found.bytes.subarray(0, found.length)
    return this.hasSlowBodies ? Promise.resolve(bytes) : bytes
  }

  copyBody(slice: BodySlice, target: Uint8Array, targetStart: number): Promise<void> | undefined {
    const copy = (body: Uint8Array): void => {
      const piece = body.subarray(slice.offset, slice.offset + slice.length)
      if (piece.length < slice.length) throw new AteError('BODY_DAMAGED', 'the body is shorter')
      target.set(piece, targetStart)
    }
    const body = this.readBody(slice.body)
    if (body instanceof Promise) return body.then(copy)
    copy(body)
    return undefined
  }

  reserve(bytes: number, essential: boolean): Promise<void> | undefined {
    return this.onReserve(bytes, essential)
  }

  commit({ isDurable }: { isDurable: boolean } = { isDurable: true }): Promise<void> {
    this.commits++
    this.#open = undefined
    const bytes = this.pendingBytes
    this.pendingBytes = 0
    if (this.failsCommits) return Promise.reject(new AteError('WRITE_FAILED', 'the storage failed'))
    if (!this.holdsCommits) {
      // What is not made durable is lost in the worst crash.
      if (isDurable) this.#durable = copyOf(this.#records)
      return Promise.resolve()
    }
    this.inFlightBytes += bytes
    return new Promise((resolve, reject) => {
      const records = isDurable ? copyOf(this.#records) : undefined
      this.#held.push({ records, bytes, resolve, reject })
    })
  }

  fail(cause: unknown): AteError {
    this.failsCommits = true
    return new AteError('WRITE_FAILED', 'the storage failed', { cause })
  }

  /** Lets the oldest `count` held commits become durable. */
  releaseCommits(count = Infinity): void {
    for (const held of this.#held.splice(0, count)) {
      this.inFlightBytes -= held.bytes
      this.#durable = held.records ?? this.#durable
      held.resolve()
    }
  }

  failHeldCommits(): void {
    for (const held of this.#held.splice(0)) held.reject(new AteError('WRITE_FAILED', 'the storage failed'))
  }

  /** The view that opening finds after a crash now. */
  reopened(): MemoryRecordView {
    const view = new MemoryRecordView()
    view.#records = copyOf(this.#durable)
    view.#durable = copyOf(this.#durable)
    view.#bodies.push(...this.#bodies)
    return view
  }

  /** Every record, for tests that look for what should not be there. */
  *all(): Generator<{ kind: number; high: number; low: number; value: Uint8Array }> {
    for (const [key, bucket] of this.#records) {
      const [kind = 0, high = 0] = key.split(':').map(Number)
      for (const [low, value] of bucket) yield { kind, high, low, value }
    }
  }

  #bucket(kind: number, high: number): Map<number, Uint8Array> {
    const key = `${kind}:${high}`
    let bucket = this.#records.get(key)
    if (bucket === undefined) {
      bucket = new Map()
      this.#records.set(key, bucket)
    }
    return bucket
  }

  #lows(kind: number, high: number): number[] {
    const key = `${kind}:${high}`
    let lows = this.#sorted.get(key)
    if (lows === undefined) {
      lows = [...(this.#records.get(key)?.keys() ?? [])].sort((a, b) => a - b)
      this.#sorted.set(key, lows)
    }
    return lows
  }
}

function copyOf(records: Records): Records {
  return new Map([...records].map(([key, bucket]) => [key, new Map(bucket)]))
}

/** Index of the first element >= low. */
function lowerBound(lows: readonly number[], low: number): number {
  let from = 0
  let to = lows.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((lows[middle] ?? 0) < low) from = middle + 1
    else to = middle
  }
  return from
}
