/**
 * Names of objects: 106 random bits, the first 53 of which are shared by a block of objects that were made one after
 * another, so that they lie together in the index. As text 22 digits of Crockford's base 32.
 */
import type { ByteReader } from '../bytes/byte-reader.js'
import type { ByteWriter } from '../bytes/byte-writer.js'
import { AteError } from '../error.js'

declare const brand: unique symbol
/** The name of an object in its chain: a text of 22 digits of Crockford's base 32. See `objectKey`. */
export type ObjectKey = string & { readonly [brand]: 'ObjectKey' }

/** The key as the record view has it. */
export interface KeyParts {
  readonly high: number
  readonly low: number
}

export const OBJECT_KEY_BYTES = 16
const PART_DIGITS = 11
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
const NO_DIGIT = 255
/** By the code of the digit; NO_DIGIT for all others. */
const VALUES = new Uint8Array(128).fill(NO_DIGIT)
for (const [value, digit] of Array.from(DIGITS).entries()) VALUES[digit.charCodeAt(0)] = value

export function formatKey({ high, low }: KeyParts): ObjectKey {
  // The only place that makes one.
  return (formatPart(high) + formatPart(low)) as ObjectKey
}

/** BAD_ARGUMENT when `text` is no key. */
export function parseKey(text: string): KeyParts {
  const high = text.length === 2 * PART_DIGITS ? parsePart(text, 0) : undefined
  const low = high === undefined ? undefined : parsePart(text, PART_DIGITS)
  if (high === undefined || low === undefined) throw new AteError('BAD_ARGUMENT', 'This is not the key of an object.')
  return { high, low }
}

/** A key that came as text, from outside. BAD_ARGUMENT. */
export function objectKey(text: string): ObjectKey {
  return formatKey(parseKey(text))
}

export function writeObjectKey(writer: ByteWriter, { high, low }: KeyParts): void {
  writer.u53(high).u53(low)
}

export function readObjectKey(reader: ByteReader): KeyParts {
  return { high: reader.u53('key'), low: reader.u53('key') }
}

export function isSameKey(a: KeyParts, b: KeyParts): boolean {
  return a.high === b.high && a.low === b.low
}

const CODES = Array.from(DIGITS, (digit) => digit.charCodeAt(0))
const LOW_BITS = 30

/** Eleven digits: five of the upper 23 bits, six of the lower 30. Written out: every object that is made or loaded needs two. */
function formatPart(value: number): string {
  const low = value % 2 ** LOW_BITS
  const high = (value - low) / 2 ** LOW_BITS
  return String.fromCharCode(
    codeOf(high >>> 20),
    codeOf(high >>> 15),
    codeOf(high >>> 10),
    codeOf(high >>> 5),
    codeOf(high),
    codeOf(low >>> 25),
    codeOf(low >>> 20),
    codeOf(low >>> 15),
    codeOf(low >>> 10),
    codeOf(low >>> 5),
    codeOf(low),
  )
}

function codeOf(bits: number): number {
  return CODES[bits & 31] ?? 0
}

function parsePart(text: string, start: number): number | undefined {
  let value = 0
  for (let at = start; at < start + PART_DIGITS; at++) {
    const digit = VALUES[text.charCodeAt(at)] ?? NO_DIGIT
    if (digit === NO_DIGIT) return undefined
    value = value * 32 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}
