/**
 * The segment being written. Everything below `tail` is frames; between `tail` and `reserved` the space is ours, so that a
 * write there cannot fail for want of it.
 */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { errorCode } from '../error.js'
import type { ChainState } from './chain-state.js'
import { CURRENT_FORMAT } from './format/feature-flags.js'
import { SEGMENT_SALT_BYTES } from './format/frame-head.js'
import type { SegmentClosing, SegmentEntry } from './format/manifest-format.js'
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { segmentName } from './format/segment-name.js'
import { reserveMost } from './reservation.js'
import type { FramePiece } from './received-batch.js'
import type { LogStorage, SegmentFile } from './storage.js'
import { ZeroAhead } from './zero-ahead.js'

export interface SegmentOptions {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  number: number
  /** The chain before the segment's first batch. */
  state: ChainState
  createdMs: number
  /** Bytes to reserve behind the header. */
  wanted: number
  needed: number
}

export class SegmentAppender {
  readonly number: number
  readonly salt: Uint8Array
  readonly firstSequence: number
  readonly #file: SegmentFile
  readonly #zeroAhead = new ZeroAhead()
  #tail = SEGMENT_HEADER_BYTES
  #reserved: number
  #lastPosition = 0
  #isClosed = false

  private constructor(file: SegmentFile, number: number, salt: Uint8Array, firstSequence: number, reserved: number) {
    this.#file = file
    this.number = number
    this.salt = salt
    this.firstSequence = firstSequence
    this.#reserved = reserved
  }

  /** Makes the file, durable with its header. Leaves nothing behind when it throws (NO_SPACE, INPUT_OUTPUT). */
  static async create(options: SegmentOptions): Promise<SegmentAppender> {
    const { storage, crypto, keys, number, state } = options
    const salt = crypto.randomBytes(SEGMENT_SALT_BYTES)
    const firstSequence = state.sequence + 1
    const header = encodeSegmentHeader(crypto, keys.manifestKey, {
      format: CURRENT_FORMAT,
      chainId: keys.chainId,
      number,
      firstSequence,
      salt,
      previous: state.digest,
      createdMs: options.createdMs,
    })
    const file = await storage.openSegment(segmentName(number), 'create')
    try {
      const reserved = await reserveMost(file, SEGMENT_HEADER_BYTES, options.wanted, options.needed)
      await file.write(0, [header])
      await file.sync()
      return new SegmentAppender(file, number, salt, firstSequence, reserved)
    } catch (error) {
      await file.close()
      await storage.remove(segmentName(number))
      throw error
    }
  }

  /** Where the next frame goes. */
  get tail(): number {
    return this.#tail
  }

  /** Bytes that can surely be written. */
  get room(): number {
    return this.#reserved - this.#tail
  }

  get isEmpty(): boolean {
    return this.#tail === SEGMENT_HEADER_BYTES
  }

  /** As the manifest lists it while it is written. */
  get entry(): SegmentEntry {
    return { number: this.number, firstSequence: this.firstSequence, closing: undefined }
  }

  /** What the manifest will say of it once it is finished; `state` is the chain behind its last batch. */
  closing(state: ChainState): SegmentClosing {
    const { sequence, digest } = state
    return { length: this.#tail, lastPosition: this.#lastPosition, lastSequence: sequence, lastDigest: digest }
  }

  /** Reserves room for `needed` more bytes, up to `wanted`. NO_SPACE changes nothing. */
  async extend(wanted: number, needed: number): Promise<void> {
    this.#reserved = await reserveMost(this.#file, this.#tail, wanted, needed)
  }

  /** Begins to write frames, the last of them `lastAt` bytes from here; their space is taken at once. */
  write(frames: Uint8Array, lastAt: number): Promise<void> {
    const position = this.#tail
    this.#lastPosition = position + lastAt
    this.#tail += frames.length
    return this.#file.write(position, [frames])
  }

  /** As `write`, of one frame of which only the pieces are there: nothing is kept reserved for the zeros between them. */
  async writeSparse(pieces: readonly FramePiece[], length: number): Promise<void> {
    const position = this.#tail
    this.#lastPosition = position
    this.#tail += length
    let end = 0
    for (const { at, bytes } of pieces) {
      if (at > end) await this.#file.punch(position + end, position + at)
      await this.#file.write(position + at, [bytes])
      end = at + bytes.length
    }
    if (end < length) await this.#file.punch(position + end, position + length)
  }

  async sync(): Promise<void> {
    await this.#file.sync()
  }

  /** As `sync`, while this thread goes on. */
  syncInBackground(): Promise<void> {
    return this.#file.syncInBackground()
  }

  /** Learns of a sync of `bytes` that was waited for; true when it is time to zero ahead. */
  noteSync(bytes: number): boolean {
    return this.#zeroAhead.noteSync(this.#tail, bytes)
  }

  /** False: there was nothing to zero, or no space, as there may be none for copies of what is reserved; then none is tried again. */
  async zeroAhead(): Promise<boolean> {
    const range = this.#zeroAhead.take(this.#tail, this.#reserved)
    if (range === undefined) return false
    try {
      await this.#file.zero(range.from, range.to)
      return true
    } catch (error) {
      if (errorCode(error) !== 'NO_SPACE') throw error
      this.#zeroAhead.end()
      return false
    }
  }

  /** Gives the unused space back; what is left is exactly the frames, durable. */
  async finish(): Promise<void> {
    await this.#file.truncate(this.#tail)
    await this.#file.sync()
    await this.abandon()
  }

  /** Lets go of the file as it is; may be called again. */
  async abandon(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#file.close()
  }
}
