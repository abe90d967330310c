/**
 * How far the space of a segment is written with zeros before frames are. A sync of a place that was never written changes the
 * file's metadata too, which takes a journaling file system three times as long as writing the bytes alone; so where
 * somebody waits for one small sync after another, their space is written beforehand, some milliseconds for many of them.
 */

/** Above this the bytes themselves are most of what a sync costs. */
const SMALL_SYNC_BYTES = 256 * 1024
/** After so many in a row, more are expected. */
const SMALL_SYNCS = 4
/** Syncs that are zeroed for at once, within these bytes. */
const SYNCS_AHEAD = 32
const LEAST_BYTES = 1024 * 1024
const MOST_BYTES = 4 * 1024 * 1024

export class ZeroAhead {
  #zeroedTo = 0
  #smallSyncs = 0
  #syncBytes = 0

  /** Learns of a sync that was waited for, of `bytes` that end at `tail`; true when it is time to zero what follows. */
  noteSync(tail: number, bytes: number): boolean {
    this.#smallSyncs = bytes < SMALL_SYNC_BYTES ? this.#smallSyncs + 1 : 0
    this.#syncBytes = bytes
    return this.#smallSyncs >= SMALL_SYNCS && tail + 2 * bytes > this.#zeroedTo
  }

  /** It is of no use here. */
  end(): void {
    this.#zeroedTo = Infinity
  }

  /** What to zero behind `tail`, of the space up to `reserved`; it counts as done. */
  take(tail: number, reserved: number): { from: number; to: number } | undefined {
    const from = Math.max(tail, this.#zeroedTo)
    const ahead = Math.min(Math.max(SYNCS_AHEAD * this.#syncBytes, LEAST_BYTES), MOST_BYTES)
    const to = Math.min(tail + ahead, reserved)
    if (to <= from) return undefined
    this.#zeroedTo = to
    return { from, to }
  }
}
