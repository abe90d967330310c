/**
 * A leaf: a run of neighbouring records in key order, the unit the index seals and stores.
 *
 * Plaintext: records one after another, each key (15 bytes), length of the value (3 bytes, little-endian), value.
 * Here it is taken apart to be changed; `packed-leaf.ts` reads it.
 */
import { AteError } from '../error.js'
import { MAX_RECORD_VALUE_BYTES } from '../limits.js'
import { decodeKey, RECORD_KEY_BYTES, type RecordKey, writeKey } from './record-key.js'

export const RECORD_HEADER_BYTES = RECORD_KEY_BYTES + 3

export interface LeafRecord extends RecordKey {
  value: Uint8Array
}

export function recordBytes(record: LeafRecord): number {
  return RECORD_HEADER_BYTES + record.value.length
}

export function encodeLeaf(records: readonly LeafRecord[]): Uint8Array {
  let length = 0
  for (const record of records) length += recordBytes(record)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { kind, high, low, value } of records) {
    writeKey(bytes, at, kind, high, low)
    bytes[at + RECORD_KEY_BYTES] = value.length
    bytes[at + RECORD_KEY_BYTES + 1] = value.length >>> 8
    bytes[at + RECORD_KEY_BYTES + 2] = value.length >>> 16
    bytes.set(value, at + RECORD_HEADER_BYTES)
    at += RECORD_HEADER_BYTES + value.length
  }
  return bytes
}

/** Throws BAD_FORMAT on bytes that are no leaf; never reads beyond them. */
export function decodeLeaf(bytes: Uint8Array): LeafRecord[] {
  return Array.from(recordStarts(bytes), (at) => ({ ...decodeKey(bytes, at), value: valueOf(bytes, at) }))
}

/** Filled by each call of `recordStarts`, so that nothing is made for it. */
let starts = new Uint32Array(1024)

/** Where each record begins: good until the next call. Throws BAD_FORMAT on bytes that are no leaf; never reads beyond them. */
export function recordStarts(bytes: Uint8Array): Uint32Array {
  let count = 0
  let previous: number | undefined
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < RECORD_HEADER_BYTES) throw new AteError('BAD_FORMAT', `index leaf: cut record at ${at}`)
    const length = valueLength(bytes, at)
    const start = at + RECORD_HEADER_BYTES
    if (length > MAX_RECORD_VALUE_BYTES || length > bytes.length - start) {
      throw new AteError('BAD_FORMAT', `index leaf: value of ${length} bytes at ${at} does not fit`)
    }
    if (previous !== undefined && !isKeyBefore(bytes, previous, at)) {
      throw new AteError('BAD_FORMAT', `index leaf: keys out of order at ${at}`)
    }
    if (count === starts.length) starts = doubled(starts)
    starts[count++] = at
    previous = at
    at = start + length
  }
  return starts.subarray(0, count)
}

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

/** Of the record at `at`: a view. */
export function valueOf(bytes: Uint8Array, at: number): Uint8Array {
  const start = at + RECORD_HEADER_BYTES
  return bytes.subarray(start, start + valueLength(bytes, at))
}

function valueLength(bytes: Uint8Array, at: number): number {
  const start = at + RECORD_KEY_BYTES
  return (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8) | ((bytes[start + 2] ?? 0) << 16)
}

/** Keys are in the order of their bytes. */
function isKeyBefore(bytes: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < RECORD_KEY_BYTES; i++) {
    const difference = (bytes[a + i] ?? 0) - (bytes[b + i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
