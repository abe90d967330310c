/**
 * Forgets records: all that the log says up to a batch, when little of it counts any more. What counts is put again behind it,
 * a batch says so, and only then the space of the old records is given back (`docs/architecture.md`, Compaction).
 */
import { after } from '../../after.js'
import { errorCode } from '../../error.js'
import type { IndexScan } from '../../index/index-scan.js'
import { MAX_KEY_PART, type RecordKey } from '../../index/record-key.js'
import type { BatchJudge } from '../../log/chain-state.js'
import { encodeForget } from '../../log/format/forget-format.js'
import { lastClosedSequence, type SegmentEntry } from '../../log/format/manifest-format.js'
import type { Log } from '../../log/index.js'
import { recordPlaces } from '../../log/record-places.js'
import type { LogStorage } from '../../log/storage.js'
import { DROP_NUMBER, GROUP_FORGET, type GroupDraft } from '../../log/types.js'
import { BODY_PLACE_KIND } from '../body-place.js'
import type { IndexFollower } from '../index-follower.js'
import { wholeBlocks } from './blocks-of-records.js'
import { NOTHING_TO_REPACK } from './repack.js'
import type { RepackRecord, RewriteWork } from './rewrite-work.js'
import type { FreePlace, SpaceFreer } from './space-freer.js'

/** It is worth it when at most this part of what records take counts, and so many bytes would be gained. */
const LIVE_PART = 1 / 2
const LEAST_GAIN_BYTES = 256 * 1024
/** Put again in one transaction: whoever else wants something is served in between. */
const RECORDS_AT_ONCE = 1024
/** Named from one look at the index. */
const RECORDS_OF_A_LOOK = 65_536
/** While the reader on the other thread has not seen the last flush, the index takes in nothing: it is looked at again. */
const MOST_WAIT_MS = 10_000
const PAUSE_MS = 10
/** What failed is tried again when the log has so many times the records that it had, or so much later. */
const GROWN = 2
const RETRY_MS = 60 * 60 * 1000
/** What the batch that says so takes in the log. */
const BATCH_BYTES = 2048

/** When records could last not be forgotten, as long as the chain is open. */
export interface ForgettingAttempts {
  failed: { recordBytes: number; atMs: number } | undefined
}

export interface ForgettingParts {
  storage: LogStorage
  judge: BatchJudge
  log: Pick<Log, 'availableBytes' | 'closedSegments' | 'forgotten' | 'makeRoom' | 'rotate' | 'setForgotten'>
  follower: Pick<IndexFollower, 'noteForgotten' | 'recordBytes'>
  freer: SpaceFreer
  attempts: ForgettingAttempts
  /** False when there is nothing to look at now. */
  look: (act: (scan: IndexScan) => Promise<unknown>) => Promise<boolean>
  /** Throws CHAIN_DAMAGED when its leaves are not those that were written. */
  verify: (scan: IndexScan) => Promise<unknown>
  rewrite: (work: RewriteWork) => Promise<boolean>
  /** So many bytes are set aside; false: not now. */
  setAside: (bytes: number) => Promise<boolean>
  /** Appends a batch of one group, durable when it resolves. */
  append: (group: GroupDraft) => Promise<unknown>
  nextTurn: () => Promise<void>
  isStopped: () => boolean
}

export class Forgetting {
  readonly #parts: ForgettingParts

  constructor(parts: ForgettingParts) {
    this.#parts = parts
  }

  /** `liveBytes`: what all records there are take. Returns how much was given back. WRITE_FAILED, BODY_DAMAGED, INPUT_OUTPUT. */
  async run(liveBytes: number): Promise<number> {
    const { log, follower, attempts, setAside, append, isStopped } = this.#parts
    const { recordBytes } = follower
    if (recordBytes * LIVE_PART < liveBytes || recordBytes - liveBytes < LEAST_GAIN_BYTES) return 0
    if (!this.#mayTry(recordBytes) || !(await this.#canFreeAll())) return 0
    attempts.failed = { recordBytes, atMs: performance.now() }
    if (!(await this.#makeReady(liveBytes))) return 0
    const sequence = lastClosedSequence([...log.closedSegments().values()])
    if (sequence <= log.forgotten.sequence || !(await this.#putAllAgain(sequence))) return 0
    if (!(await setAside(BATCH_BYTES)) || isStopped()) return 0
    await append({ kind: GROUP_FORGET, number: DROP_NUMBER, parts: [encodeForget(sequence)] })
    const isSaid = await unlessFull(() => log.setForgotten({ sequence, freed: log.forgotten.freed }))
    if (!isSaid) return 0
    attempts.failed = undefined
    follower.noteForgotten(recordBytes)
    return await this.finish()
  }

  /** Gives the space of forgotten records back that was not before, maybe because the process ended. As `run`. */
  async finish(): Promise<number> {
    const { log, freer, nextTurn, isStopped } = this.#parts
    const { sequence, freed } = log.forgotten
    let bytes = 0
    let upTo = sequence
    for (const entry of this.#segmentsBetween(freed, sequence)) {
      if (isStopped()) return bytes
      if (!(await freer.canFree(entry.number))) {
        upTo = entry.firstSequence - 1
        break
      }
      const places = await this.#wholePlaces(entry, sequence)
      await freer.free(places)
      for (const { position, storedBytes } of places) bytes += wholeBlocks(position, position + storedBytes)
      await nextTurn()
    }
    if (freed < upTo) await unlessFull(() => log.setForgotten({ sequence, freed: upTo }))
    return bytes
  }

  /** What failed has written records for nothing: it is not repeated with every compaction. */
  #mayTry(recordBytes: number): boolean {
    const { failed } = this.#parts.attempts
    if (failed === undefined) return true
    return recordBytes >= GROWN * failed.recordBytes || performance.now() - failed.atMs >= RETRY_MS
  }

  async #canFreeAll(): Promise<boolean> {
    const { log, freer } = this.#parts
    for (const { number } of this.#segmentsBetween(log.forgotten.sequence, Infinity))
      if (!(await freer.canFree(number))) return false
    return true
  }

  /** There is room for what is put again, and what was written is closed. A full disk gets no new segment. */
  async #makeReady(liveBytes: number): Promise<boolean> {
    const { log } = this.#parts
    const bytes = Math.ceil(liveBytes * 1.25) + BATCH_BYTES
    const makeRoom = async (): Promise<void> => {
      if (log.availableBytes(false) < bytes) await log.makeRoom(bytes)
    }
    return await unlessFull(async () => {
      await makeRoom()
      await log.rotate()
      // Some of it may have been in the segment that is closed now.
      await makeRoom()
    })
  }

  /**
   * Every record there is, whenever it was put last: those that were put behind the closed segments need not be, which costs
   * more to know than to write. `sequence`: of the last batch whose records are to be forgotten.
   */
  async #putAllAgain(sequence: number): Promise<boolean> {
    const { rewrite, isStopped } = this.#parts
    let last: RecordKey = { kind: BODY_PLACE_KIND, high: MAX_KEY_PART, low: MAX_KEY_PART }
    for (;;) {
      const records = await this.#recordsBehind(last, sequence)
      if (records === undefined) return false
      for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
        const again = records.slice(at, at + RECORDS_AT_ONCE)
        if (isStopped() || !(await rewrite({ ...NOTHING_TO_REPACK, again }))) return false
      }
      const end = records.at(-1)
      if (end === undefined) return !isStopped()
      last = end
    }
  }

  /** The next ones, from an index that has taken in all up to `sequence`: it may wait for its reader. Undefined: not now. */
  async #recordsBehind(last: RecordKey, sequence: number): Promise<RepackRecord[] | undefined> {
    const { look, verify, isStopped } = this.#parts
    const endMs = performance.now() + MOST_WAIT_MS
    do {
      const records: RepackRecord[] = []
      const index = { isBehind: false }
      const gather = async (scan: IndexScan): Promise<void> => {
        index.isBehind = (scan.point?.sequence ?? 0) < sequence
        if (!index.isBehind) await this.#gather(scan, last, records)
        // What was put again is all there is, if this is all of the index.
        if (!index.isBehind && records.length === 0) await verify(scan)
      }
      if (!(await look(gather))) return undefined
      if (!index.isBehind) return records
      await new Promise<void>((resolve) => after(PAUSE_MS, resolve))
    } while (performance.now() < endMs && !isStopped())
    return undefined
  }

  async #gather(scan: IndexScan, last: RecordKey, records: RepackRecord[]): Promise<void> {
    const { nextTurn, isStopped } = this.#parts
    let leaves = 0
    for (const found of scan.after(last)) {
      for (const { kind, high, low, value } of found) records.push({ kind, high, low, bytes: value.length })
      if (records.length >= RECORDS_OF_A_LOOK || isStopped()) return
      if (++leaves % 64 === 0) await nextTurn()
    }
  }

  /** Closed ones with batches behind `from` that are not behind `to`. */
  *#segmentsBetween(from: number, to: number): Generator<SegmentEntry> {
    for (const entry of this.#parts.log.closedSegments().values())
      if (lastSequenceOf(entry) > from && entry.firstSequence <= to) yield entry
  }

  /** Neighbours joined; what holds no whole block is left as it is. */
  async #wholePlaces(entry: SegmentEntry, sequence: number): Promise<FreePlace[]> {
    const places: FreePlace[] = []
    let run: FreePlace | undefined
    const close = (): void => {
      if (run !== undefined && wholeBlocks(run.position, run.position + run.storedBytes) > 0) places.push(run)
    }
    for await (const place of recordPlaces(this.#parts, entry, sequence)) {
      if (run !== undefined && run.position + run.storedBytes === place.position) run.storedBytes += place.storedBytes
      else {
        close()
        run = { ...place }
      }
    }
    close()
    return places
  }
}

/** False when the disk is full: nothing has changed. */
async function unlessFull(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action()
    return true
  } catch (error) {
    if (errorCode(error) === 'NO_SPACE') return false
    throw error
  }
}

function lastSequenceOf({ closing }: SegmentEntry): number {
  return closing?.lastSequence ?? 0
}
