/** Bytes that nobody knows. */
import { randomBytes as random } from '@noble/hashes/utils.js'

/**
 * Bytes from the system's generator, fit for keys.
 *
 * @param length - Bytes, at most 65,536.
 */
export function randomBytes(length: number): Uint8Array {
  return random(length)
}
