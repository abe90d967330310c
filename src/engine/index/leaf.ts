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

function isBefore(record: RecordKey, kind: number, high: number, low: number): boolean {
  if (record.kind !== kind) return record.kind < kind
  if (record.high !== high) return record.high < high
  return record.low < low
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
  const records: LeafRecord[] = []
  let previous: RecordKey | undefined
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < RECORD_HEADER_BYTES) throw new AteError('BAD_FORMAT', `index leaf: cut record at ${at}`)
    const key = decodeKey(bytes, at)
    const length = valueLength(bytes, at + RECORD_KEY_BYTES)
    const start = at + RECORD_HEADER_BYTES
    if (length > MAX_RECORD_VALUE_BYTES || length > bytes.length - start) {
      throw new AteError('BAD_FORMAT', `index leaf: value of ${length} bytes at ${at} does not fit`)
    }
    if (previous !== undefined && !isBefore(previous, key.kind, key.high, key.low)) {
      throw new AteError('BAD_FORMAT', `index leaf: keys out of order at ${at}`)
    }
    records.push({ kind: key.kind, high: key.high, low: key.low, value: bytes.subarray(start, start + length) })
    previous = key
    at = start + length
  }
  return records
}

/** Of the value whose length lies at `at`. */
export function valueLength(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
}
