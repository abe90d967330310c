/** What a transaction has read, to be compared with what changed meanwhile. */
import type { Snapshot } from './snapshot.js'

interface Range {
  kind: number
  high: number
  from: number
  to: number
}

export class ReadSet {
  /** Made when something is read: who only stores reads nothing. */
  #lows: Map<number, Map<number, Set<number>>> | undefined
  readonly #ranges: Range[] = []

  addKey(kind: number, high: number, low: number): void {
    this.#lows ??= new Map()
    let highs = this.#lows.get(kind)
    if (highs === undefined) {
      highs = new Map<number, Set<number>>()
      this.#lows.set(kind, highs)
    }
    const lows = highs.get(high)
    if (lows === undefined) highs.set(high, new Set([low]))
    else lows.add(low)
  }

  removeKey(kind: number, high: number, low: number): void {
    this.#lows?.get(kind)?.get(high)?.delete(low)
  }

  addRange(kind: number, high: number, from: number, to: number): void {
    const last = this.#ranges[this.#ranges.length - 1]
    // Pages of one listing follow each other.
    if (last?.kind === kind && last.high === high && from >= last.from && from <= last.to + 1)
      last.to = Math.max(last.to, to)
    else this.#ranges.push({ kind, high, from, to })
  }

  /** True when any of it has changed since `snapshot` was taken. */
  isStale(snapshot: Snapshot): boolean {
    for (const [kind, highs] of this.#lows ?? [])
      for (const [high, lows] of highs) for (const low of lows) if (snapshot.hasChanged(kind, high, low)) return true
    return this.#ranges.some(({ kind, high, from, to }) => snapshot.hasChangedWithin(kind, high, from, to))
  }
}
