/** Messages on their way out: what is sent at the same time shares frames, and what waits for a slow reader is bounded. */
import { copyOf } from '../engine/bytes/copy.js'
import { byteLength } from '../engine/bytes/concat.js'
import { AteError } from '../engine/error.js'
import type { Compression } from './compression.js'
import { MAX_FRAME_MESSAGES, MAX_MESSAGE_BYTES, MIN_COMPRESSED_BYTES, SHARED_FRAME_BYTES } from './limits.js'
import { compressMessages, encodeMessages } from './payload.js'
import type { Timers } from './timers.js'

/** Frames that are not tried after one that did not shrink: at first one, then twice as many each time, up to this. */
const MAX_UNTRIED = 64

export interface OutboxOptions {
  /** Sends one frame, whose payload are the pieces, and calls `written` when it is gone; gives the bytes that are held until then. */
  write: (pieces: readonly Uint8Array[], written: (bytes: number) => void) => number
  timers: Timers
  compression: Compression | undefined
  maxBytes: number
}

export class Outbox {
  readonly #options: OutboxOptions
  #messages: Uint8Array[] = []
  #messageBytes = 0
  #packetBytes = 0
  #isFlushComing = false
  #end: AteError | undefined
  #untried = 0
  #nextUntried = 1
  #waiting: { atMost: number; resolve: () => void; reject: (error: AteError) => void }[] = []

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Bytes that are held because the other side has not taken them. */
  get unsentBytes(): number {
    return this.#messageBytes + this.#packetBytes
  }

  /** Goes out soon; its memory is the caller's again. MESSAGE_TOO_LARGE; LAGGED when too much waits; the reason of the end after it. */
  push(message: Uint8Array): void {
    if (this.#end !== undefined) throw this.#end
    if (message.length > MAX_MESSAGE_BYTES)
      throw new AteError('MESSAGE_TOO_LARGE', `A message of ${message.length} bytes is more than ${MAX_MESSAGE_BYTES}.`)
    if (this.unsentBytes > 0 && this.unsentBytes + message.length > this.#options.maxBytes)
      throw new AteError('LAGGED', `The other side does not read: ${this.unsentBytes} bytes wait for it.`)
    const isFull = this.#messageBytes + message.length >= SHARED_FRAME_BYTES
    this.#messages.push(isFull ? message : copyOf(message))
    this.#messageBytes += message.length
    if (isFull) this.flush()
    else if (!this.#isFlushComing) {
      this.#isFlushComing = true
      this.#options.timers.soon(() => {
        this.#isFlushComing = false
        if (this.#end === undefined) this.flush()
      })
    }
  }

  /** Resolves when at most so many bytes wait: half of what may without it. Rejects with the reason of the end. */
  ready(atMost = this.#options.maxBytes / 2): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    if (this.unsentBytes <= atMost) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ atMost, resolve, reject }))
  }

  /**
   * Hands all messages over to the transport, in frames of about SHARED_FRAME_BYTES, or one message that is larger. The transport may
   * call back at once: what is sent from there goes behind all that waits, and what ends it there ends this too.
   */
  flush(): void {
    while (this.#messages.length > 0) {
      const frame = this.#takeFrame()
      this.#messageBytes -= byteLength(frame)
      this.#writeFrame(frame)
    }
  }

  /** Nothing goes out any more. */
  end(reason: AteError): void {
    if (this.#end !== undefined) return
    this.#end = reason
    this.#messages = []
    this.#messageBytes = 0
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }

  #takeFrame(): readonly Uint8Array[] {
    const messages = this.#messages
    let bytes = 0
    const end = messages.findIndex((message, at) => {
      bytes += message.length
      return at > 0 && (bytes > SHARED_FRAME_BYTES || at === MAX_FRAME_MESSAGES)
    })
    if (end > 0) return messages.splice(0, end)
    this.#messages = []
    return messages
  }

  #writeFrame(messages: readonly Uint8Array[]): void {
    const plain = encodeMessages(messages)
    const held = this.#options.write(this.#compressed(plain) ?? plain, (bytes) => this.#noteWritten(bytes))
    // Behind that: it may have been written at once.
    this.#packetBytes += held
  }

  #noteWritten(bytes: number): void {
    this.#packetBytes -= bytes
    const { unsentBytes } = this
    const ready = this.#waiting.filter(({ atMost }) => unsentBytes <= atMost)
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter(({ atMost }) => unsentBytes > atMost)
    for (const { resolve } of ready) resolve()
  }

  /** What is sealed already does not shrink: after some failures most frames are not tried. */
  #compressed(pieces: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
    const { compression } = this.#options
    if (compression === undefined || byteLength(pieces) < MIN_COMPRESSED_BYTES) return undefined
    if (this.#untried > 0) {
      this.#untried--
      return undefined
    }
    const compressed = compressMessages(pieces, compression)
    if (compressed !== undefined) {
      this.#nextUntried = 1
    } else {
      this.#untried = this.#nextUntried
      this.#nextUntried = Math.min(2 * this.#nextUntried, MAX_UNTRIED)
    }
    return compressed
  }
}
