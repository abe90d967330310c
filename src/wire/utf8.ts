/** Text on the wire: UTF-8, refused when it is none. */
import type { ByteReader } from '../engine/bytes/byte-reader.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text, cut to at most `maxBytes` at the end of a character. */
export function encodeTextWithin(text: string, maxBytes: number): Uint8Array {
  const target = new Uint8Array(maxBytes)
  return target.slice(0, encoder.encodeInto(text, target).written)
}

/** u16 length and so many bytes of UTF-8, at least `min` and at most `max`. BAD_FORMAT otherwise. */
export function readText(reader: ByteReader, min: number, max: number, field: string): string {
  const length = reader.u16(field)
  if (length < min || length > max) throw reader.bad(field, `has ${length} bytes, not ${min} to ${max}`)
  const bytes = reader.bytes(length, field)
  try {
    return decoder.decode(bytes)
  } catch {
    throw reader.bad(field, 'is not UTF-8')
  }
}
