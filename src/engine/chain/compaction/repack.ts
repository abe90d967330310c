/**
 * Bodies of which little is left: what records still refer to is put into new bodies by an ordinary transaction, so that the
 * old ones are dead. Which are worth it is decided where compactions look; the records are changed by who puts them.
 */
import type { RecordKey } from '../../index/record-key.js'
import { GROUP_OVERHEAD_BYTES } from '../../log/format/group-header.js'
import type { BodyPlace } from '../body-place.js'
import { MOVED_RECORD_BYTES } from '../log-bytes.js'
import type { BodySlice, RecordView } from '../record-view.js'
import type { RepackRecord, RepackWork, RewriteWork } from './rewrite-work.js'

/** A body is worth it when at most this part of it is left. */
const SPARSE_PART = 1 / 3
/** Less than this gives no block back. */
const LEAST_GAIN_BYTES = 4096
/** What one compaction moves at most: it is written anew, while others want to write. */
export const MAX_MOVED_BYTES = 16 * 1024 * 1024
export const MAX_MOVED_RECORDS = 16_384
/** Records of one transaction: whoever else wants something is served in between. */
export const RECORDS_AT_ONCE = 256

export const NOTHING_TO_REPACK: RepackWork = { records: [], bodies: new Set(), unused: [] }

/** What it takes in the log to write these records anew. */
function bytesToWrite(records: readonly RepackRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes + MOVED_RECORD_BYTES, 0)
}

/** Resolves when there is room for it, by what the records to be put again are then. As `RecordView.reserve`. */
export async function reserveForRewrite(
  view: Pick<RecordView, 'get' | 'reserve'>,
  { records, again, unused }: Pick<RewriteWork, 'records' | 'again' | 'unused'>,
): Promise<void> {
  let bytes: number
  do {
    bytes = bytesToPutAgain(view, again)
    await view.reserve(bytesToWrite(records) + bytes + unused.length * MOVED_RECORD_BYTES, false)
    // They may have grown while room was made.
  } while (bytesToPutAgain(view, again) > bytes)
}

/** What it takes in the log to put these records again, as they are now. */
function bytesToPutAgain(view: Pick<RecordView, 'get'>, records: readonly RecordKey[]): number {
  let sum = 0
  for (const { kind, high, low } of records) sum += (view.get(kind, high, low)?.length ?? 0) + MOVED_RECORD_BYTES
  return sum
}

/** Those that are still there, as they are. */
export function putAgain(view: Pick<RecordView, 'get' | 'put'>, records: readonly RepackRecord[]): void {
  for (const { kind, high, low } of records) {
    const value = view.get(kind, high, low)
    if (value !== undefined) view.put(kind, high, low, value)
  }
}

export function isSparse({ storedBytes }: BodyPlace, liveBytes: number): boolean {
  const bytes = storedBytes - GROUP_OVERHEAD_BYTES
  return liveBytes > 0 && liveBytes <= bytes * SPARSE_PART && bytes - liveBytes >= LEAST_GAIN_BYTES
}

/**
 * Puts a copy of a piece of so many bytes of content into a new body of the current transaction. Undefined when it cannot be
 * had at once, or there is no space: it is to stay where it is.
 */
export function moveSlice(view: RecordView, slice: BodySlice, contentBytes?: number): BodySlice | undefined {
  const wait = view.reserve(slice.length, false)
  if (wait !== undefined) {
    wait.catch(() => undefined)
    return undefined
  }
  const bytes = new Uint8Array(slice.length)
  try {
    const fetch = view.copyBody(slice, bytes, 0)
    if (fetch !== undefined) {
      fetch.catch(() => undefined)
      return undefined
    }
  } catch {
    // Damaged: it is left for fsck to find.
    return undefined
  }
  const staged = view.stage(bytes.length)
  staged.set(bytes)
  return view.addBody(staged, contentBytes)
}
