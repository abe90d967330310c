/** Records without content, some of them large, beside the bodies of a body chain: for tests of what is forgotten. */
import { equalBytes } from '../../src/engine/bytes/equal.js'
import type { MemoryChain } from '../../src/engine/chain/memory-chain.js'
import type { FaultStorage } from './fault-storage.js'
import { KIND_COUNT } from './body-chain.js'

const HIGH = 2
const ALL = Number.MAX_SAFE_INTEGER

/** The values of all records, by their low. */
export type Records = Map<number, Uint8Array>

export class RecordModel {
  /** As of the last change. */
  records: Records = new Map()
  #count = 0

  put({ view }: MemoryChain, low: number, length: number): void {
    const value = new Uint8Array(length).fill(1 + (this.#count++ % 255))
    view.put(KIND_COUNT, HIGH, low, value)
    this.records.set(low, value)
  }

  delete({ view }: MemoryChain, low: number): void {
    view.delete(KIND_COUNT, HIGH, low)
    this.records.delete(low)
  }

  deleteRange({ view }: MemoryChain, from: number, to: number): void {
    view.deleteRange(KIND_COUNT, HIGH, from, to)
    for (const low of [...this.records.keys()]) if (low >= from && low <= to) this.records.delete(low)
  }
}

/** What is wrong with what the chain holds; undefined when it is exactly `records`. */
export function wrongRecords({ view }: Pick<MemoryChain, 'view'>, records: Records): string | undefined {
  const items = view.range(KIND_COUNT, HIGH, 0, ALL, ALL)
  const lows = [...records.keys()].sort((a, b) => a - b)
  if (items.map(({ low }) => low).join() !== lows.join()) return 'there are other records'
  const wrong = items.find(({ low, value }) => !equalBytes(value, records.get(low) ?? new Uint8Array()))
  return wrong === undefined ? undefined : `record ${wrong.low} has another value`
}

/** Bytes that are not zero in all segments. */
export function bytesIn(storage: FaultStorage): number {
  let bytes = 0
  for (const [name, { bytes: content }] of storage.snapshot())
    if (name.endsWith('.seg')) for (const byte of content) if (byte !== 0) bytes++
  return bytes
}
