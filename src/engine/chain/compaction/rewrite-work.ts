/** What a compaction asks who puts the records to write anew. */
import type { RecordKey } from '../../index/record-key.js'

export interface RepackRecord extends RecordKey {
  /** What of it is to be written. */
  readonly bytes: number
}

/** Of what these records refer to, that in these bodies is to be moved. */
export interface RepackWork {
  readonly records: readonly RepackRecord[]
  readonly bodies: ReadonlySet<number>
  /** Records that nobody needs: to be deleted. */
  readonly unused: readonly RecordKey[]
}

/**
 * Moves it, and resolves when that is committed together with whatever was put before, at once. What cannot be moved stays where
 * it is.
 */
export type Repack = (work: RepackWork) => Promise<void>

/** What a compaction wants to be written anew. */
export interface RewriteWork extends RepackWork {
  /** Records to be put again as they are. */
  readonly again: readonly RepackRecord[]
}
