/**
 * Numbers of the cryptographic suites a chain can be made of (`docs/format.md`). A number, once given, is never given
 * again; an unknown one is refused, never guessed.
 */
import { AteError } from '../error.js'

export const AEAD_AES_256_GCM = 1
export const AEAD_AES_192_GCM = 2
export const AEAD_AES_128_GCM = 3
// Reserved: 4 AES-256-GCM-SIV, 5 XChaCha20-Poly1305, 6 AEGIS-256.
export type AeadSuite = typeof AEAD_AES_256_GCM | typeof AEAD_AES_192_GCM | typeof AEAD_AES_128_GCM

export const SIGNATURE_ED25519_ML_DSA_65 = 1
// Reserved: 2 Ed25519 + SLH-DSA-SHAKE-128f, 3 Ed448 + ML-DSA-87, 4 Ed25519 + Falcon-512.
export type SignatureSuite = typeof SIGNATURE_ED25519_ML_DSA_65

export const BOX_X25519_ML_KEM_768 = 1
export const BOX_P384_ML_KEM_1024 = 2
// Reserved: 3 X25519 + Classic McEliece 460896, 4 X25519 + HQC-192.
export type BoxSuite = typeof BOX_X25519_ML_KEM_768 | typeof BOX_P384_ML_KEM_1024

/** Bytes of the AES key of a suite. */
export function aeadKeyBytes(suite: AeadSuite): 16 | 24 | 32 {
  switch (suite) {
    case AEAD_AES_256_GCM:
      return 32
    case AEAD_AES_192_GCM:
      return 24
    case AEAD_AES_128_GCM:
      return 16
  }
}

/** The suite of an AES key size in bits (`--key-size`); BAD_ARGUMENT for a size that AES does not have. */
export function aeadSuiteOfKeyBits(bits: number): AeadSuite {
  if (bits === 256) return AEAD_AES_256_GCM
  if (bits === 192) return AEAD_AES_192_GCM
  if (bits === 128) return AEAD_AES_128_GCM
  throw new AteError('BAD_ARGUMENT', `AES has no key size of ${bits} bits.`, { hint: 'Use 128, 192 or 256.' })
}

/** A suite number read from bytes; UNSUPPORTED_FORMAT when unknown. */
export function parseAeadSuite(id: number): AeadSuite {
  if (id === AEAD_AES_256_GCM || id === AEAD_AES_192_GCM || id === AEAD_AES_128_GCM) return id
  throw unknownSuite('encryption', id)
}

/** A suite number read from bytes; UNSUPPORTED_FORMAT when unknown. */
export function parseSignatureSuite(id: number): SignatureSuite {
  if (id === SIGNATURE_ED25519_ML_DSA_65) return id
  throw unknownSuite('signature', id)
}

/** A suite number read from bytes; UNSUPPORTED_FORMAT when unknown. */
export function parseBoxSuite(id: number): BoxSuite {
  if (id === BOX_X25519_ML_KEM_768 || id === BOX_P384_ML_KEM_1024) return id
  throw unknownSuite('key agreement', id)
}

function unknownSuite(family: string, id: number): AteError {
  return new AteError('UNSUPPORTED_FORMAT', `Unknown ${family} suite ${id}.`, {
    hint: 'A newer atefs may know it.',
  })
}
