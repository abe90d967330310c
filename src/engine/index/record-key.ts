/**
 * A record's key as bytes: kind (1), high (7) and low (7), big-endian, so that byte order is the order of (kind, high, low).
 */
export interface RecordKey {
  kind: number
  high: number
  low: number
}

export const RECORD_KEY_BYTES = 15
/** Greatest high and low. */
export const MAX_KEY_PART = Number.MAX_SAFE_INTEGER

const TWO_POW_32 = 0x1_0000_0000

export function encodeKey(kind: number, high: number, low: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_KEY_BYTES)
  writeKey(bytes, 0, kind, high, low)
  return bytes
}

export function writeKey(target: Uint8Array, start: number, kind: number, high: number, low: number): void {
  target[start] = kind
  writeU56(target, start + 1, high)
  writeU56(target, start + 8, low)
}

export function decodeKey(bytes: Uint8Array, start = 0): RecordKey {
  return { kind: bytes[start] ?? 0, high: readU56(bytes, start + 1), low: readU56(bytes, start + 8) }
}

/** Of the key at `start`. */
export function highAt(bytes: Uint8Array, start: number): number {
  return readU56(bytes, start + 1)
}

export function lowAt(bytes: Uint8Array, start: number): number {
  return readU56(bytes, start + 8)
}

export function compareKeys(a: RecordKey, kind: number, high: number, low: number): number {
  return a.kind - kind || a.high - high || a.low - low
}

function writeU56(target: Uint8Array, start: number, value: number): void {
  const upper = Math.floor(value / TWO_POW_32)
  const lower = value >>> 0
  target[start] = upper >>> 16
  target[start + 1] = upper >>> 8
  target[start + 2] = upper
  target[start + 3] = lower >>> 24
  target[start + 4] = lower >>> 16
  target[start + 5] = lower >>> 8
  target[start + 6] = lower
}

function readU56(bytes: Uint8Array, start: number): number {
  const upper = ((bytes[start] ?? 0) << 16) | ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0)
  const lower =
    ((bytes[start + 3] ?? 0) << 24) |
    ((bytes[start + 4] ?? 0) << 16) |
    ((bytes[start + 5] ?? 0) << 8) |
    (bytes[start + 6] ?? 0)
  return upper * TWO_POW_32 + (lower >>> 0)
}
