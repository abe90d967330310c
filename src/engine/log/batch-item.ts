/**
 * A batch as a stream of bytes: what an export holds, and what travels between copies of a chain (`docs/format.md`, Export).
 * Content that is missing is left out; its places in the table of groups are told.
 */
import { equalBytes } from '../bytes/equal.js'
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { MAX_BATCH_BYTES, MAX_BATCH_GROUPS } from '../limits.js'
import { MAX_HEAD_BYTES } from './format/frame-head.js'
import { decodeBatch, type ReceivedBatch } from './received-batch.js'
import { type Gap, gapsOf, groupBytesOf, groupsAt } from './sparse-groups.js'

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
}: Pick<ReceivedBatch, 'bytes' | 'head'> & { missing: readonly { number: number }[] }): Uint8Array[] {
  // The numbers of groups that may be missing are one sequence; the others have none.
  const isMissing = new Set(missing.map(({ number }) => number))
  const indexes: number[] = []
  const present: Uint8Array[] = []
  let [at, from] = [0, 0]
  const take = (): void => {
    const piece = groupsAt(bytes, from, at - from)
    if (at > from && piece !== undefined) present.push(piece)
  }
  head.table.forEach(({ number, storedBytes }, index) => {
    if (isMissing.has(number)) {
      take()
      indexes.push(index)
      from = at + storedBytes
    }
    at += storedBytes
  })
  take()
  const item = { headBytes: bytes.head.length, groupBytes: groupBytesOf(bytes) }
  const start = encodeBatchItem(item, indexes)
  return asItCame(start, bytes.head, present) ?? [start, bytes.head, ...present]
}

/** What has come as this item lies in one piece, and goes on as it is. */
function asItCame(start: Uint8Array, head: Uint8Array, present: readonly Uint8Array[]): [Uint8Array] | undefined {
  const [groups] = present
  const at = head.byteOffset - start.length
  if (groups === undefined || present.length > 1 || at < 0) return undefined
  if (groups.buffer !== head.buffer || groups.byteOffset !== head.byteOffset + head.length) return undefined
  if (!equalBytes(new Uint8Array(head.buffer, at, start.length), start)) return undefined
  return [new Uint8Array(head.buffer, at, start.length + head.length + groups.length)]
}

/** What an item of a batch begins with of which nothing is missing: its head and its groups follow. */
export function startOfWholeItem(headBytes: number, groupBytes: number): Uint8Array {
  return encodeBatchItem({ headBytes, groupBytes }, [])
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

/**
 * What is not there of the groups; undefined when the batch has not those groups. `indexes`: their places in its table, 4 bytes
 * each, ascending. BATCH_REFUSED for a head that cannot be read.
 */
export function gapsIn(head: Uint8Array, groupBytes: number, indexes: Uint8Array): Gap[] | undefined {
  if (indexes.length === 0) return []
  const { table } = decodeBatch({ head, groups: { length: groupBytes } })
  const view = new DataView(indexes.buffer, indexes.byteOffset, indexes.length)
  let next = 0
  const gaps = gapsOf(
    table.map(({ storedBytes }) => storedBytes),
    (index) => {
      const isMissing = next < indexes.length && view.getUint32(next, true) === index
      if (isMissing) next += 4
      return isMissing
    },
  )
  return next < indexes.length ? undefined : gaps
}
