/**
 * Records that are newer than the index: those of the current transaction, of transactions under way, and of durable ones
 * that the index has not taken in yet. It hides what it replaces: every record it knows is the newest.
 *
 * Invariant: a node belongs to the newest transaction that put it; forgetting a transaction drops only nodes that no later
 * one has put again.
 */
import { SortedNumbers } from './sorted-numbers.js'

export interface OverlayNode {
  readonly kind: number
  readonly high: number
  readonly low: number
  /** null: deleted. */
  value: Uint8Array | null
  transaction: number
}

interface ClearedRange {
  from: number
  to: number
  transaction: number
}

/** The transaction of a node that a range deletion swallowed: it is in nobody's list any more. */
const SWALLOWED = -1

/** All overlay records of one (kind, high). */
export class OverlayBucket {
  readonly nodes = new Map<number, OverlayNode>()
  cleared: ClearedRange[] = []
  /** Made when the order is first asked for: most buckets never are. */
  #lows: SortedNumbers | undefined

  add(node: OverlayNode): void {
    this.nodes.set(node.low, node)
    this.#lows?.add(node.low)
  }

  remove(low: number): void {
    this.nodes.delete(low)
    this.#lows?.delete(low)
  }

  /** The lows of all nodes in ascending order. */
  lows(): SortedNumbers {
    this.#lows ??= new SortedNumbers(this.nodes.keys())
    return this.#lows
  }

  isCleared(low: number): boolean {
    return this.clearedRange(low) !== undefined
  }

  /** The cleared range that holds `low`: readers of the index jump over it. */
  clearedRange(low: number): Readonly<ClearedRange> | undefined {
    for (const range of this.cleared) if (low >= range.from && low <= range.to) return range
    return undefined
  }

  clear(from: number, to: number, transaction: number): void {
    // Ranges inside the new one are covered by it, and it stays longer.
    if (this.cleared.length > 0) this.cleared = this.cleared.filter((range) => range.from < from || range.to > to)
    this.cleared.push({ from, to, transaction })
  }

  get isEmpty(): boolean {
    return this.nodes.size === 0 && this.cleared.length === 0
  }
}

export interface RangeDeletion {
  kind: number
  high: number
  from: number
  to: number
}

/** What one transaction changed, in the order of its first touch. Range deletions come before all nodes. */
export interface TransactionChanges {
  nodes: OverlayNode[]
  cleared: RangeDeletion[]
}

export class Overlay {
  readonly #kinds: (Map<number, OverlayBucket> | undefined)[] = []
  readonly #changes = new Map<number, TransactionChanges>()

  bucket(kind: number, high: number): OverlayBucket | undefined {
    return this.#kinds[kind]?.get(high)
  }

  put(transaction: number, kind: number, high: number, low: number, value: Uint8Array | null): void {
    const bucket = this.#bucketFor(kind, high)
    const node = bucket.nodes.get(low)
    if (node === undefined) {
      const added = { kind, high, low, value, transaction }
      bucket.add(added)
      this.changesOf(transaction).nodes.push(added)
      return
    }
    node.value = value
    if (node.transaction === transaction) return
    node.transaction = transaction
    this.changesOf(transaction).nodes.push(node)
  }

  deleteRange(transaction: number, kind: number, high: number, from: number, to: number): void {
    const bucket = this.#bucketFor(kind, high)
    for (const [low, node] of bucket.nodes) {
      if (low < from || low > to) continue
      node.transaction = SWALLOWED
      bucket.remove(low)
    }
    bucket.clear(from, to, transaction)
    this.changesOf(transaction).cleared.push({ kind, high, from, to })
  }

  /** The transaction's changes; nodes that a later step swallowed have another transaction number: skip them. */
  changesOf(transaction: number): TransactionChanges {
    let changes = this.#changes.get(transaction)
    if (changes === undefined) {
      changes = { nodes: [], cleared: [] }
      this.#changes.set(transaction, changes)
    }
    return changes
  }

  /** Drops what the index has taken in: everything of transactions up to and including `transaction`. */
  forget(transaction: number): void {
    for (const [number, changes] of this.#changes) {
      if (number > transaction) break // insertion order is ascending
      this.#forgetChanges(number, changes)
      this.#changes.delete(number)
    }
  }

  /** Every (kind, high) with its bucket, in ascending order. */
  *buckets(): Generator<{ kind: number; high: number; bucket: OverlayBucket }> {
    for (let kind = 0; kind < this.#kinds.length; kind++) {
      const highs = this.#kinds[kind]
      if (highs === undefined) continue
      for (const high of [...highs.keys()].sort((a, b) => a - b)) {
        const bucket = highs.get(high)
        if (bucket !== undefined) yield { kind, high, bucket }
      }
    }
  }

  #forgetChanges(transaction: number, changes: TransactionChanges): void {
    for (const node of changes.nodes) {
      if (node.transaction !== transaction) continue
      const bucket = this.bucket(node.kind, node.high)
      bucket?.remove(node.low)
      this.#dropIfEmpty(node.kind, node.high, bucket)
    }
    for (const { kind, high } of changes.cleared) {
      const bucket = this.bucket(kind, high)
      if (bucket !== undefined) bucket.cleared = bucket.cleared.filter((range) => range.transaction > transaction)
      this.#dropIfEmpty(kind, high, bucket)
    }
  }

  #dropIfEmpty(kind: number, high: number, bucket: OverlayBucket | undefined): void {
    if (bucket?.isEmpty === true) this.#kinds[kind]?.delete(high)
  }

  #bucketFor(kind: number, high: number): OverlayBucket {
    let highs = this.#kinds[kind]
    if (highs === undefined) {
      highs = new Map()
      this.#kinds[kind] = highs
    }
    let bucket = highs.get(high)
    if (bucket === undefined) {
      bucket = new OverlayBucket()
      highs.set(high, bucket)
    }
    return bucket
  }
}
