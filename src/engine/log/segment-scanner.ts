/**
 * Reads the frames of one segment file, trusting nothing. Finds the next frame behind damage by salt and CRC. The work
 * that hostile bytes can cause is bounded by a budget of head bytes in proportion to the file.
 */
import type { CryptoProvider } from '../crypto/provider.js'
import { isAteError } from '../error.js'
import {
  alignFrame,
  FRAME_ALIGNMENT_BYTES,
  FRAME_HEADER_BYTES,
  isFrameIntact,
  MAX_HEAD_BYTES,
  readFrameHead,
  readFrameHeader,
  SEGMENT_SALT_BYTES,
  type FrameHead,
} from './format/frame-head.js'
import type { SegmentFile } from './storage.js'

const WINDOW_BYTES = 1024 * 1024
/** Heads are read once when walking and once when looking ahead; honest ones are a small part of the file. */
const BUDGET_FACTOR = 4

export interface StoredFrame {
  position: number
  head: FrameHead
  /** Where the groups begin. */
  bodyPosition: number
  /** Where the next frame begins. */
  endPosition: number
}

export type FrameRead =
  /** Nothing but zeros or the end of the file. */
  | { kind: 'end' }
  /** No frame, or one whose head is not whole: what a crash can leave. */
  | { kind: 'torn'; why: string }
  /** Intact by its CRC and yet impossible: no crash does that. */
  | { kind: 'forged'; why: string }
  | { kind: 'frame'; frame: StoredFrame }

export class SegmentScanner {
  /** Nothing at or above this position belongs to the log. */
  readonly limit: number
  readonly #crypto: CryptoProvider
  readonly #file: SegmentFile
  readonly #salt: Uint8Array
  readonly #dataEnd: number
  readonly #windowBytes: number
  #window: Uint8Array = new Uint8Array(0)
  #windowAt = 0
  /** For the first window: who gives it uses it again. */
  #lent: Uint8Array | undefined
  #budgetBytes: number
  #readBytes = 0

  /** Nothing but zeros follows `dataEnd`. `windowBytes`: what is read at once; `lent`: memory for what is read first. */
  constructor(
    crypto: CryptoProvider,
    file: SegmentFile,
    salt: Uint8Array,
    limit: number,
    dataEnd = limit,
    windowBytes = WINDOW_BYTES,
    lent?: Uint8Array,
  ) {
    this.#windowBytes = windowBytes
    this.#lent = lent
    this.#crypto = crypto
    this.#file = file
    this.#salt = salt
    this.limit = limit
    this.#dataEnd = Math.min(dataEnd, limit)
    this.#budgetBytes = BUDGET_FACTOR * (limit + MAX_HEAD_BYTES)
  }

  /** True when damage has used up the budget: nothing more is found, and what was not found proves nothing. */
  get isExhausted(): boolean {
    return this.#budgetBytes < 0
  }

  /** Of the file, since it was made. */
  get readBytes(): number {
    return this.#readBytes
  }

  /** Up to `length` bytes at `position`, fewer at the limit. A view: it stays as it is, but keeps its window alive. */
  async bytes(position: number, length: number): Promise<Uint8Array> {
    const end = Math.min(position + length, this.limit)
    if (end <= position) return new Uint8Array(0)
    if (position < this.#windowAt || end > this.#windowAt + this.#window.length) {
      const wanted = Math.min(Math.max(length, this.#windowBytes), this.limit - position)
      this.#window = await this.#file.read(position, wanted, this.#lent)
      this.#lent = undefined
      this.#windowAt = position
      this.#readBytes += this.#window.length
    }
    return this.#window.subarray(position - this.#windowAt, end - this.#windowAt)
  }

  /** What lies at `position` (a multiple of 8). Throws UNSUPPORTED_FORMAT for a batch of a newer format. */
  async frameAt(position: number): Promise<FrameRead> {
    const start = await this.bytes(position, FRAME_HEADER_BYTES)
    if (start.every((byte) => byte === 0)) return { kind: 'end' }
    const header = readFrameHeader(start, this.#salt)
    if (header === undefined) return { kind: 'torn', why: 'no frame begins here' }
    const bodyPosition = position + FRAME_HEADER_BYTES + header.headBytes
    const bodyEnd = bodyPosition + header.bodyBytes
    const endPosition = alignFrame(bodyEnd)
    if (endPosition > this.limit) return { kind: 'torn', why: 'a frame runs beyond the end of the segment' }
    this.#budgetBytes -= header.headBytes
    if (this.isExhausted) return { kind: 'forged', why: 'too much of the segment is damaged to go on' }
    const whole = await this.bytes(position, FRAME_HEADER_BYTES + header.headBytes)
    if (whole.length < FRAME_HEADER_BYTES + header.headBytes || !isFrameIntact(this.#crypto, whole)) {
      return { kind: 'torn', why: 'the head of a frame has a wrong CRC' }
    }
    try {
      const head = readFrameHead(whole.subarray(FRAME_HEADER_BYTES), header.bodyBytes)
      const padding = await this.bytes(bodyEnd, endPosition - bodyEnd)
      if (!padding.every((byte) => byte === 0)) return { kind: 'torn', why: 'the end of a frame is not zero' }
      return { kind: 'frame', frame: { position, head, bodyPosition, endPosition } }
    } catch (error) {
      if (isAteError(error) && error.code === 'BAD_FORMAT') return { kind: 'forged', why: error.message }
      throw error
    }
  }

  /** The first position at or above `from` where an intact frame begins; undefined when there is none. */
  async findFrame(from: number): Promise<number | undefined> {
    let position = alignFrame(from)
    for (;;) {
      const candidate = await this.#findSalt(position)
      if (candidate === undefined || this.isExhausted) return undefined
      const read = await this.frameAt(candidate)
      if (read.kind === 'frame' || read.kind === 'forged') return candidate
      position = candidate + FRAME_ALIGNMENT_BYTES
    }
  }

  /**
   * The reserved space of a log that was not closed must be looked through: a frame behind zeros may show that they were a
   * durable batch, and the log is not to be cut there then. What the storage knows to be zeros has no frame.
   */
  async #findSalt(from: number): Promise<number | undefined> {
    const first = this.#salt[0]
    if (first === undefined || this.#salt.every((byte) => byte === 0)) return undefined
    let position = from
    while (position < this.#dataEnd && position + FRAME_HEADER_BYTES <= this.limit) {
      const bytes = await this.bytes(position, Math.min(WINDOW_BYTES, this.limit - position))
      const last = bytes.length - SEGMENT_SALT_BYTES
      if (last < 0) return undefined
      let at = 0
      for (; at <= last; at += FRAME_ALIGNMENT_BYTES) {
        if (bytes[at] === first && this.#isSaltAt(bytes, at)) return position + at
      }
      position += at
    }
    return undefined
  }

  #isSaltAt(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < SEGMENT_SALT_BYTES; i++) if (bytes[at + i] !== this.#salt[i]) return false
    return true
  }
}
