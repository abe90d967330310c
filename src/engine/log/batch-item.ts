/**
 * A batch as a stream of bytes: what an export holds, and what travels between copies of a chain (`docs/format.md`, Export).
 * Content that is missing is left out; its places in the table of groups are told.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { MAX_BATCH_BYTES, MAX_BATCH_GROUPS } from '../limits.js'
import { MAX_HEAD_BYTES } from './format/frame-head.js'
import { type BatchBytes, decodeBatch, type ReceivedBatch } from './received-batch.js'

export const ITEM_BATCH = 1
/** Kind (1), reserved (3), lengths of head and groups, count of missing groups (4 each). */
export const BATCH_ITEM_BYTES = 16

interface BatchItem {
  headBytes: number
  /** Of all groups, those that are missing included. */
  groupBytes: number
  missing: number
}

/** The item of a batch in pieces, most of them views of it. */
export function batchItemPieces({
  bytes,
  head,
  missing,
}: Pick<ReceivedBatch, 'bytes' | 'head' | 'missing'>): Uint8Array[] {
  // The numbers of groups that may be missing are one sequence; the others have none.
  const isMissing = new Set(missing.map(({ number }) => number))
  const indexes: number[] = []
  const present: Uint8Array[] = []
  let [at, from] = [0, 0]
  head.table.forEach(({ number, storedBytes }, index) => {
    if (isMissing.has(number)) {
      if (at > from) present.push(bytes.groups.subarray(from, at))
      indexes.push(index)
      from = at + storedBytes
    }
    at += storedBytes
  })
  if (at > from) present.push(bytes.groups.subarray(from, at))
  const item = { headBytes: bytes.head.length, groupBytes: bytes.groups.length }
  return [encodeBatchItem(item, indexes), bytes.head, ...present]
}

function encodeBatchItem(
  { headBytes, groupBytes }: Omit<BatchItem, 'missing'>,
  missing: readonly number[],
): Uint8Array {
  const writer = new ByteWriter(BATCH_ITEM_BYTES + 4 * missing.length)
  writer.u8(ITEM_BATCH).u8(0).u16(0).u32(headBytes).u32(groupBytes).u32(missing.length)
  for (const index of missing) writer.u32(index)
  return writer.copy()
}

/** The first BATCH_ITEM_BYTES; undefined for lengths that none has. */
export function decodeBatchItem(bytes: Uint8Array): BatchItem | undefined {
  const reader = new ByteReader(bytes, 'batch item', 4)
  const item = {
    headBytes: reader.u32('length of the head'),
    groupBytes: reader.u32('length of the groups'),
    missing: reader.u32('missing groups'),
  }
  const isPossible =
    item.headBytes <= MAX_HEAD_BYTES && item.groupBytes <= MAX_BATCH_BYTES && item.missing <= MAX_BATCH_GROUPS
  return isPossible ? item : undefined
}

export interface Gap {
  at: number
  length: number
}

/**
 * The places of groups that are missing, ascending; undefined when the batch has not those groups. `indexes`: 4 bytes each.
 * BATCH_REFUSED for a head that cannot be read.
 */
export function gapsIn(head: Uint8Array, groupBytes: number, indexes: Uint8Array): Gap[] | undefined {
  if (indexes.length === 0) return []
  const { table } = decodeBatch({ head, groups: { length: groupBytes } })
  const view = new DataView(indexes.buffer, indexes.byteOffset, indexes.length)
  const gaps: Gap[] = []
  let [at, next] = [0, 0]
  table.forEach(({ storedBytes }, index) => {
    if (next < indexes.length && view.getUint32(next, true) === index) {
      gaps.push({ at, length: storedBytes })
      next += 4
    }
    at += storedBytes
  })
  return next < indexes.length ? undefined : gaps
}

/** Bytes that are there of the groups. */
export function presentBytes(groupBytes: number, gaps: readonly Gap[]): number {
  return groupBytes - gaps.reduce((sum, { length }) => sum + length, 0)
}

/** The batch with zeros where groups are missing. */
export function fillGaps(head: Uint8Array, present: Uint8Array, groupBytes: number, gaps: readonly Gap[]): BatchBytes {
  if (gaps.length === 0) return { head, groups: present }
  const groups = new Uint8Array(groupBytes)
  let [from, to] = [0, 0]
  for (const { at, length } of gaps) {
    groups.set(present.subarray(from, from + at - to), to)
    from += at - to
    to = at + length
  }
  groups.set(present.subarray(from), to)
  return { head, groups }
}
