/** What changes take in the log, at most: for reservations. */
import type { BatchBytes } from '../log/index.js'
import { groupBytesOf } from '../log/sparse-groups.js'

/** A record beside its value. */
export const RECORD_OVERHEAD_BYTES = 32
/** What a record that is put anew takes beside its content: few are larger. */
export const MOVED_RECORD_BYTES = 512
/** A batch beside its groups. */
const BATCH_OVERHEAD_BYTES = 4096

/** Seals, frames and leaves: a sixteenth covers what 64 KiB bodies and 16 KiB record groups need. */
export function sealedBytes(bytes: number): number {
  return bytes + bytes / 16 + BATCH_OVERHEAD_BYTES
}

/** What batches from elsewhere take, with what did not come of them. */
export function bytesOfRun(run: readonly BatchBytes[]): number {
  return run.reduce((sum, batch) => sum + batch.head.length + groupBytesOf(batch), 0)
}
