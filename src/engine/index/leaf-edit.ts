/**
 * Merges sorted changes into a leaf's records and cuts the outcome into leaves. Pure: no store, no keys.
 */
import { type LeafRecord, recordBytes } from './leaf.js'
import type { RecordKey } from './record-key.js'

export interface RecordChange extends Readonly<RecordKey> {
  /** null deletes. */
  readonly value: Uint8Array | null
}

/**
 * A full leaf's plaintext. Sealed it fits one page of the store (4096 bytes less 24 of page header, as lmdb 3 has it, and the seal), so that
 * rewriting a record rewrites one page.
 */
export const LEAF_BYTES = 4096 - 24 - 61
/** After a split in the middle, leaves are left this full: the next random insertions find room. */
const SPLIT_FILL = 0.7

/** Both in ascending order of keys; a change replaces the record of its key. */
export function mergeRecords(records: readonly LeafRecord[], changes: readonly RecordChange[]): LeafRecord[] {
  const merged: LeafRecord[] = []
  let at = 0
  for (const change of changes) {
    let record = records[at]
    while (record !== undefined && isBefore(record, change)) {
      merged.push(record)
      record = records[++at]
    }
    if (record !== undefined && isSame(record, change)) at++
    if (isPut(change)) merged.push(change)
  }
  for (; at < records.length; at++) {
    const record = records[at]
    if (record !== undefined) merged.push(record)
  }
  return merged
}

/** Cuts records into leaves of at most LEAF_BYTES (one larger record makes a leaf of its own). */
export function cutLeaves(records: readonly LeafRecord[], isAppending: boolean): LeafRecord[][] {
  let total = 0
  for (const record of records) total += recordBytes(record)
  if (total <= LEAF_BYTES) return records.length === 0 ? [] : [[...records]]
  const target = isAppending ? LEAF_BYTES : Math.ceil(total / Math.ceil(total / (LEAF_BYTES * SPLIT_FILL)))
  const leaves: LeafRecord[][] = []
  let leaf: LeafRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = recordBytes(record)
    if (leaf.length > 0 && bytes + size > target) {
      leaves.push(leaf)
      leaf = []
      bytes = 0
    }
    leaf.push(record)
    bytes += size
  }
  leaves.push(leaf)
  return leaves
}

export function leafBytes(records: readonly LeafRecord[]): number {
  let total = 0
  for (const record of records) total += recordBytes(record)
  return total
}

export function isBefore(a: RecordKey, b: RecordKey): boolean {
  if (a.kind !== b.kind) return a.kind < b.kind
  if (a.high !== b.high) return a.high < b.high
  return a.low < b.low
}

function isPut(change: RecordChange): change is Readonly<LeafRecord> {
  return change.value !== null
}

function isSame(a: RecordKey, b: RecordKey): boolean {
  return a.kind === b.kind && a.high === b.high && a.low === b.low
}
