/** Lower-case hexadecimal, for ids in messages and file names. */
import { AteError } from '../error.js'

/** Two lower-case digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** Throws BAD_FORMAT for anything but pairs of lower-case digits: one value has one spelling. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new AteError('BAD_FORMAT', 'Not a hexadecimal string.')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
