/** What the two sides choose from: numbers on the wire (`docs/protocol.md`), never given a second meaning. */
import {
  AEAD_AES_128_GCM,
  AEAD_AES_192_GCM,
  AEAD_AES_256_GCM,
  type AeadSuite,
  BOX_P384_ML_KEM_1024,
  BOX_X25519_ML_KEM_768,
  type BoxSuite,
} from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'

/** Frames are not sealed. */
export const CIPHER_NONE = 0
export type Cipher = typeof CIPHER_NONE | AeadSuite

/** Key size in bits: what a user asks for, 0 when he does not mind. */
export type WishedBits = 0 | 128 | 192 | 256

/** The weakest first, so that the first that both accept is the stronger of both wishes. */
const BY_STRENGTH: readonly { cipher: Cipher; bits: WishedBits }[] = [
  { cipher: CIPHER_NONE, bits: 0 },
  { cipher: AEAD_AES_128_GCM, bits: 128 },
  { cipher: AEAD_AES_192_GCM, bits: 192 },
  { cipher: AEAD_AES_256_GCM, bits: 256 },
]

/** The ciphers that a side accepts which wishes at least so many bits. */
export function ciphersFor(wish: WishedBits): Cipher[] {
  return BY_STRENGTH.filter(({ bits }) => bits >= wish).map(({ cipher }) => cipher)
}

export function bitsOf(cipher: Cipher): WishedBits {
  return BY_STRENGTH.find((each) => each.cipher === cipher)?.bits ?? 0
}

/** How the keys of a cipher are agreed. */
export function kemOf(cipher: AeadSuite): BoxSuite {
  return cipher === AEAD_AES_256_GCM ? BOX_P384_ML_KEM_1024 : BOX_X25519_ML_KEM_768
}

/** What one side accepts, the preferred first. Numbers of the other side may be unknown to us. */
export interface Offers {
  ciphers: readonly number[]
  formats: readonly number[]
  compressions: readonly number[]
}

/** The first of `wanted` that is acceptable. WIRE_NOT_AGREED when none is. `what` names it in the error. */
export function choose(wanted: readonly number[], acceptable: readonly number[], what: string): number {
  const chosen = wanted.find((each) => acceptable.includes(each))
  if (chosen !== undefined) return chosen
  const hint = `The client accepts ${wanted.join(', ')}; the server accepts ${acceptable.join(', ')}.`
  throw new AteError('WIRE_NOT_AGREED', `The two sides have no ${what} in common.`, { hint })
}

/** The highest version in both ranges. WIRE_NOT_AGREED when there is none. */
export function chooseVersion(client: Versions, server: Versions): number {
  const version = Math.min(client.highest, server.highest)
  if (version >= client.lowest && version >= server.lowest) return version
  throw new AteError(
    'WIRE_NOT_AGREED',
    `The client speaks versions ${client.lowest} to ${client.highest} of the protocol, the server ${server.lowest} to ${server.highest}.`,
    { hint: 'Update the older of the two.' },
  )
}

export interface Versions {
  lowest: number
  highest: number
}
