/**
 * Key encapsulation by two families at once: suite 1 is X-Wing (draft-connolly-cfrg-xwing-kem, X25519 + ML-KEM-768),
 * suite 2 MLKEM1024-P384 (draft-irtf-cfrg-concrete-hybrid-kems). Shared secrets have 32 bytes.
 */
import { ml_kem1024_p384, ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import { AteError } from '../error.js'
import { BOX_P384_ML_KEM_1024, BOX_X25519_ML_KEM_768, type BoxSuite } from './suites.js'

/** A secret key of either suite is this seed. */
export const BOX_SEED_BYTES = 32

interface KemSizes {
  publicKey: number
  kemCiphertext: number
}

const SIZES: Record<BoxSuite, KemSizes> = {
  [BOX_X25519_ML_KEM_768]: { publicKey: 1184 + 32, kemCiphertext: 1088 + 32 },
  [BOX_P384_ML_KEM_1024]: { publicKey: 1568 + 97, kemCiphertext: 1568 + 97 },
}

/** Lengths in bytes of a suite's public key and KEM ciphertext. */
export function boxSizes(suite: BoxSuite): Readonly<KemSizes> {
  return SIZES[suite]
}

/** The public key of a 32-byte secret seed. */
export function boxPublicKey(suite: BoxSuite, seed: Uint8Array): Uint8Array {
  if (seed.length !== BOX_SEED_BYTES) {
    throw new AteError('BAD_ARGUMENT', `A box seed has ${BOX_SEED_BYTES} bytes, not ${seed.length}.`)
  }
  return kemOf(suite).keygen(seed).publicKey
}

/** A new secret, and what tells it to the holder of `publicKey`. BAD_FORMAT when that is none (it comes from others). */
export function encapsulate(
  suite: BoxSuite,
  publicKey: Uint8Array,
): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
  if (publicKey.length === SIZES[suite].publicKey) {
    try {
      return kemOf(suite).encapsulate(publicKey)
    } catch (cause) {
      throw new AteError('BAD_FORMAT', 'A public key does not decode.', { cause })
    }
  }
  throw new AteError('BAD_FORMAT', `A public key has ${publicKey.length} bytes, not ${SIZES[suite].publicKey}.`)
}

/** Undefined when the ciphertext holds no valid point; a wrong ML-KEM part gives a wrong secret (FIPS 203, 7.3). */
export function decapsulate(suite: BoxSuite, cipherText: Uint8Array, seed: Uint8Array): Uint8Array | undefined {
  try {
    return kemOf(suite).decapsulate(cipherText, seed)
  } catch {
    return undefined
  }
}

function kemOf(suite: BoxSuite): typeof ml_kem768_x25519 {
  return suite === BOX_X25519_ML_KEM_768 ? ml_kem768_x25519 : ml_kem1024_p384
}
