/**
 * Walks MessagePack bytes before the decoder sees them, so that hostile input costs at most one pass over it: depth is
 * bounded, every length lies inside the input, map keys are short strings, strings are UTF-8 (msgpackr reads past the
 * end of one that is not), integers are exact, and there are no extension types (it gives those meanings of its own).
 */
import { isShortAscii } from '../bytes/ascii.js'
import { ByteReader } from '../bytes/byte-reader.js'

/** Deeper nesting than any of our files has. */
const MAX_DEPTH = 16
const TWO_21 = 0x20_0000

/** Types of a fixed size: nil, false, true, floats, and integers of 8 to 32 bits. Value: the bytes that follow. */
const FIXED_BYTES = new Map([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
])
/** Types with a length before the content. Value: the bytes of the length. */
const BINARIES = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
])
const STRINGS = new Map([
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
])
const ARRAYS = new Map([
  [0xdc, 2],
  [0xdd, 4],
])
const MAPS = new Map([
  [0xde, 2],
  [0xdf, 4],
])
const UNSIGNED_64 = 0xcf
const STRING_8 = 0xd9

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Throws BAD_FORMAT unless `bytes` are exactly one acceptable value. `what` names them in the error. */
export function checkStructure(bytes: Uint8Array, what: string): void {
  const reader = new ByteReader(bytes, what)
  skipValue(reader, 0)
  reader.done()
}

function skipValue(reader: ByteReader, depth: number): void {
  if (depth > MAX_DEPTH) throw reader.bad('value', 'is nested too deeply')
  const type = reader.u8('type')
  if (type < 0x80 || type >= 0xe0) return // small integers
  if (type < 0x90) skipMap(reader, type & 0x0f, depth)
  else if (type < 0xa0) skipArray(reader, type & 0x0f, depth)
  else if (type < 0xc0) skipString(reader, type & 0x1f)
  else skipLongValue(reader, type, depth)
}

function skipLongValue(reader: ByteReader, type: number, depth: number): void {
  const fixed = FIXED_BYTES.get(type)
  const binary = BINARIES.get(type)
  const string = STRINGS.get(type)
  const array = ARRAYS.get(type)
  const map = MAPS.get(type)
  if (fixed !== undefined) reader.bytes(fixed, 'number')
  else if (binary !== undefined) reader.bytes(bigEndian(reader, binary), 'byte string')
  else if (string !== undefined) skipString(reader, bigEndian(reader, string))
  else if (array !== undefined) skipArray(reader, bigEndian(reader, array), depth)
  else if (map !== undefined) skipMap(reader, bigEndian(reader, map), depth)
  else if (type === UNSIGNED_64) skipUnsigned64(reader)
  // Extensions, signed 64 (nothing of ours is that negative), and the byte that is never used.
  else throw reader.bad('value', `has the unsupported type ${type}`)
}

/** A count beyond the input ends at the input's end: nothing is allocated for it. */
function skipArray(reader: ByteReader, count: number, depth: number): void {
  for (let i = 0; i < count; i++) skipValue(reader, depth + 1)
}

function skipMap(reader: ByteReader, count: number, depth: number): void {
  for (let i = 0; i < count; i++) {
    const type = reader.u8('key type')
    if (type >= 0xa0 && type < 0xc0) skipString(reader, type & 0x1f)
    else if (type === STRING_8) skipString(reader, reader.u8('key length'))
    else throw reader.bad('key', 'is not a short string')
    skipValue(reader, depth + 1)
  }
}

function skipString(reader: ByteReader, length: number): void {
  const bytes = reader.bytes(length, 'string')
  if (isShortAscii(bytes)) return
  try {
    utf8.decode(bytes)
  } catch {
    throw reader.bad('string', 'is not UTF-8')
  }
}

function skipUnsigned64(reader: ByteReader): void {
  if (bigEndian(reader, 4) >= TWO_21) throw reader.bad('integer', 'is 2^53 or more')
  reader.bytes(4, 'integer')
}

function bigEndian(reader: ByteReader, length: number): number {
  let value = 0
  for (const byte of reader.bytes(length, 'length')) value = value * 256 + byte
  return value
}
