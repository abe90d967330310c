/**
 * The segment that is written to, with room for what comes: makes segments, rolls to the next, reserves space, and keeps
 * the manifest saying so. Room never shrinks but by what is written; a full disk stops new segments before it stops
 * anything that was promised.
 */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import type { ChainState } from './chain-state.js'
import { MAX_SEGMENTS, type SegmentEntry } from './format/manifest-format.js'
import { MAX_SEGMENT_NUMBER, segmentName } from './format/segment-name.js'
import type { ManifestFile } from './manifest-file.js'
import { inSteps, SpareSpace } from './reservation.js'
import { SegmentAppender } from './segment-appender.js'
import type { LogStorage } from './storage.js'

/** After the disk had no room for a new segment, how much goes into the old one before it is tried again. */
const ROLL_RETRY_BYTES = 4 * 1024 * 1024

export interface SegmentSupplyParts {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  manifest: ManifestFile
  /** A segment is closed above this, and as much is reserved at once. */
  segmentBytes: number
  /** Number for the next segment: above that of every file there is. */
  nextNumber: number
  /** Bytes of all segments. */
  sizeBytes: number
  nowMs: () => number
  /** Makes what was written to a segment durable, before the manifest says where it ends. */
  settle: (segment: SegmentAppender) => Promise<void>
}

export class SegmentSupply {
  readonly #parts: SegmentSupplyParts
  readonly #spare: SpareSpace
  /** Bytes of the segments before the one being written. */
  #closedBytes: number
  #current: SegmentAppender | undefined
  #nextNumber: number
  #rollAt: number
  /** What is left of a spare that was given up: room of the segment that only what is essential may use. */
  #keptRoom = 0

  constructor(parts: SegmentSupplyParts) {
    this.#parts = parts
    this.#spare = new SpareSpace(parts.storage)
    this.#closedBytes = parts.sizeBytes
    this.#nextNumber = parts.nextNumber
    this.#rollAt = parts.segmentBytes
  }

  /** The segment being written; none before the first append of a session. */
  get current(): SegmentAppender | undefined {
    return this.#current
  }

  /** Bytes of all segments, without what is reserved. */
  get sizeBytes(): number {
    return this.#closedBytes + (this.#current?.tail ?? 0)
  }

  /** Bytes that can surely be written; `essential` counts the spare. */
  availableBytes(essential: boolean): number {
    const room = this.#current?.room ?? 0
    return essential ? room + this.#spare.bytes : Math.max(0, room - this.#keptRoom)
  }

  /** To be called when something was written. */
  noteWritten(): void {
    this.#keptRoom = Math.min(this.#keptRoom, this.#current?.room ?? 0)
  }

  /** The segment that the next `total` bytes behind `state` go to, with room for them. NO_SPACE changes nothing. */
  async segmentFor(total: number, state: ChainState): Promise<SegmentAppender> {
    const current = this.#current
    if (current === undefined) return await this.#startFirst(total, state)
    if (current.tail >= this.#rollAt) {
      try {
        return await this.#start(Math.max(total, current.room), state)
      } catch (error) {
        if (errorCode(error) !== 'NO_SPACE') throw error
        this.#rollAt = current.tail + ROLL_RETRY_BYTES
      }
    }
    if (current.room < total) await this.#extend(current, total)
    return current
  }

  /** Reserves at least `needed` bytes beyond what is available. NO_SPACE. */
  async makeRoom(needed: number, state: ChainState): Promise<void> {
    await this.#spare.ensure()
    if (this.#spare.bytes > 0) this.#keptRoom = 0
    const wanted = inSteps(needed)
    const segment = this.#current
    if (segment === undefined) await this.#start(wanted, state)
    else await segment.extend(Math.max(this.#parts.segmentBytes, segment.room + wanted), segment.room + wanted)
  }

  /** Closes the segment being written, unless it holds nothing, and begins the next. NO_SPACE changes nothing. */
  async rotate(state: ChainState): Promise<void> {
    const current = this.#current
    if (current !== undefined && !current.isEmpty) await this.#start(current.room, state)
  }

  /** Gives all reserved space back and closes the segment, which ends in `state`. */
  async finish(state: ChainState): Promise<void> {
    await this.#spare.release()
    const segment = this.#current
    if (segment === undefined) return
    await segment.finish()
    const { manifest, storage } = this.#parts
    await manifest.replaceSegments(this.#withCurrentClosed(manifest.current.segments, state))
    if (segment.isEmpty) await storage.remove(segmentName(segment.number))
  }

  async #startFirst(needed: number, state: ChainState): Promise<SegmentAppender> {
    await this.#spare.ensure()
    try {
      return await this.#start(inSteps(needed), state)
    } catch (error) {
      if (errorCode(error) !== 'NO_SPACE' || this.#spare.bytes === 0) throw error
      await this.#spare.release()
      return await this.#start(needed, state)
    }
  }

  async #extend(segment: SegmentAppender, needed: number): Promise<void> {
    try {
      await segment.extend(this.#parts.segmentBytes, inSteps(needed))
    } catch (error) {
      if (errorCode(error) !== 'NO_SPACE') throw error
      const kept = this.#spare.bytes
      await this.#spare.release()
      await segment.extend(Math.max(segment.room + kept, needed), needed)
      this.#keptRoom = segment.room - needed
    }
  }

  /** Makes the next segment with room for `needed` bytes, closes the current one, and says both in the manifest. */
  async #start(needed: number, state: ChainState): Promise<SegmentAppender> {
    const { storage, crypto, keys, manifest, segmentBytes, nowMs } = this.#parts
    const previous = this.#current
    const listed = manifest.current.segments
    const number = this.#nextNumber
    if (number > MAX_SEGMENT_NUMBER || listed.length >= MAX_SEGMENTS) {
      throw new AteError('FILE_TOO_LARGE', 'The log has as many segments as it can have.')
    }
    if (previous !== undefined) await this.#parts.settle(previous)
    const wanted = Math.max(segmentBytes, needed)
    const next = await SegmentAppender.create({
      storage,
      crypto,
      keys,
      number,
      state,
      createdMs: nowMs(),
      wanted,
      needed,
    })
    try {
      await manifest.replaceSegments([...this.#withCurrentClosed(listed, state), next.entry])
    } catch (error) {
      await next.abandon()
      if (errorCode(error) === 'NO_SPACE') await storage.remove(segmentName(number))
      throw error
    }
    this.#current = next
    this.#nextNumber = number + 1
    this.#rollAt = segmentBytes
    if (previous !== undefined) {
      this.#closedBytes += previous.tail
      await this.#finishPrevious(previous)
    }
    return next
  }

  /** The manifest says already where it ends: no failure is harmless any more, not even a full disk. */
  async #finishPrevious(previous: SegmentAppender): Promise<void> {
    try {
      await previous.finish()
    } catch (cause) {
      throw new AteError('INPUT_OUTPUT', 'A full segment could not be closed.', { cause })
    }
  }

  /** The manifest's list with the current segment closed, or without it when it holds nothing. */
  #withCurrentClosed(listed: readonly SegmentEntry[], state: ChainState): readonly SegmentEntry[] {
    const segment = this.#current
    if (segment === undefined) return listed
    const before = listed.slice(0, -1)
    return segment.isEmpty ? before : [...before, { ...segment.entry, closing: segment.closing(state) }]
  }
}
