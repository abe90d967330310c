/** What came of a compaction. */

/** What a compaction has dropped and forgotten. */
export interface CompactionReport {
  /** Bodies dropped. */
  bodies: number
  /** What they took in the log. */
  bytes: number
  /** What of it, and of records that were forgotten, went back to the disk, but for parts of blocks. */
  freedBytes: number
  /** Something is dead and was left: somebody still read an older state, or the disk is full. Later it may go. */
  isDeferred: boolean
}
