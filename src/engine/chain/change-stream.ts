/**
 * Changes of records as bytes: what a sealed group of kind RECORDS holds (`docs/format.md`, records).
 *
 * Each change: op (1), kind (1), high (7), low (7), payload length (3), payload. Put: the value. Delete: nothing. Delete
 * range: the last low (7). An op with the critical bit that a reader does not know makes the batch unreadable for it; one
 * without is skipped.
 */
import { AteError } from '../error.js'
import { MAX_RECORD_VALUE_BYTES } from '../limits.js'
import { decodeKey, RECORD_KEY_BYTES, writeKey } from '../index/record-key.js'

const OP_PUT = 0x81
const OP_DELETE = 0x82
const OP_DELETE_RANGE = 0x83
const CRITICAL = 0x80

const HEADER_BYTES = 1 + RECORD_KEY_BYTES + 3
const RANGE_PAYLOAD_BYTES = RECORD_KEY_BYTES

/** Receives decoded changes. */
export interface ChangeSink {
  put(kind: number, high: number, low: number, value: Uint8Array): void
  delete(kind: number, high: number, low: number): void
  deleteRange(kind: number, high: number, from: number, to: number): void
}

/** Cuts a stream of changes into chunks that `stage` provides; a chunk never splits a change. */
export class ChangeStreamWriter {
  readonly #stage: (length: number) => Uint8Array
  readonly #chunkBytes: number
  readonly #chunks: Uint8Array[] = []
  #chunk: Uint8Array = new Uint8Array(0)
  #used = 0

  constructor(stage: (length: number) => Uint8Array, chunkBytes: number) {
    this.#stage = stage
    this.#chunkBytes = chunkBytes
  }

  put(kind: number, high: number, low: number, value: Uint8Array): void {
    const at = this.#header(OP_PUT, kind, high, low, value.length)
    this.#chunk.set(value, at)
  }

  delete(kind: number, high: number, low: number): void {
    this.#header(OP_DELETE, kind, high, low, 0)
  }

  deleteRange(kind: number, high: number, from: number, to: number): void {
    const at = this.#header(OP_DELETE_RANGE, kind, high, from, RANGE_PAYLOAD_BYTES)
    writeKey(this.#chunk, at, kind, high, to)
  }

  finish(): Uint8Array[] {
    this.#closeChunk()
    return this.#chunks
  }

  #header(op: number, kind: number, high: number, low: number, payloadBytes: number): number {
    if (payloadBytes > MAX_RECORD_VALUE_BYTES) {
      throw new AteError(
        'BAD_ARGUMENT',
        `a record of ${payloadBytes} bytes is above the limit of ${MAX_RECORD_VALUE_BYTES}`,
      )
    }
    const size = HEADER_BYTES + payloadBytes
    if (this.#used + size > this.#chunk.length) {
      this.#closeChunk()
      this.#chunk = this.#stage(Math.max(this.#chunkBytes, size))
    }
    const at = this.#used
    const chunk = this.#chunk
    chunk[at] = op
    writeKey(chunk, at + 1, kind, high, low)
    chunk[at + 16] = payloadBytes
    chunk[at + 17] = payloadBytes >>> 8
    chunk[at + 18] = payloadBytes >>> 16
    this.#used = at + size
    return at + HEADER_BYTES
  }

  #closeChunk(): void {
    if (this.#used > 0) this.#chunks.push(this.#chunk.subarray(0, this.#used))
    this.#chunk = new Uint8Array(0)
    this.#used = 0
  }
}

/** Throws BAD_FORMAT, and UNSUPPORTED_FORMAT for a critical change of a kind this program does not know. */
export function readChanges(bytes: Uint8Array, sink: ChangeSink): void {
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < HEADER_BYTES) throw new AteError('BAD_FORMAT', `records: cut change at ${at}`)
    const op = bytes[at] ?? 0
    const { kind, high, low } = decodeKey(bytes, at + 1)
    const length = (bytes[at + 16] ?? 0) | ((bytes[at + 17] ?? 0) << 8) | ((bytes[at + 18] ?? 0) << 16)
    const start = at + HEADER_BYTES
    if (length > MAX_RECORD_VALUE_BYTES || length > bytes.length - start) {
      throw new AteError('BAD_FORMAT', `records: payload of ${length} bytes at ${at} does not fit`)
    }
    const payload = bytes.subarray(start, start + length)
    if (op === OP_PUT) sink.put(kind, high, low, payload)
    else if (op === OP_DELETE) sink.delete(kind, high, low)
    else if (op === OP_DELETE_RANGE) sink.deleteRange(kind, high, low, rangeEnd(payload, at))
    else if ((op & CRITICAL) !== 0) throw new AteError('UNSUPPORTED_FORMAT', `records: unknown change ${op} at ${at}`)
    at = start + length
  }
}

function rangeEnd(payload: Uint8Array, at: number): number {
  if (payload.length !== RANGE_PAYLOAD_BYTES) throw new AteError('BAD_FORMAT', `records: bad range at ${at}`)
  return decodeKey(payload).low
}
