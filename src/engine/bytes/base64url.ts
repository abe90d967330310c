/** Bytes as text that fits into addresses and file names: base64url without padding (RFC 4648, section 5). */
import { AteError } from '../error.js'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Map(Array.from(DIGITS, (digit, value) => [digit, value]))

/** Four characters for three bytes, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 6; bits -= 6) text += DIGITS.charAt((held >> (bits - 6)) & 63)
  }
  return bits === 0 ? text : text + DIGITS.charAt((held << (6 - bits)) & 63)
}

/** BAD_FORMAT for anything but what `toBase64url` writes: one value has one spelling. */
export function fromBase64url(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8))
  let bits = 0
  let held = 0
  let at = 0
  for (const digit of text) {
    const value = VALUES.get(digit)
    if (value === undefined) throw new AteError('BAD_FORMAT', 'Not a base64url string.')
    held = ((held << 6) | value) & 0xfff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
  }
  if (bits === 6 || (held & ((1 << bits) - 1)) !== 0) throw new AteError('BAD_FORMAT', 'Not a base64url string.')
  return bytes
}
