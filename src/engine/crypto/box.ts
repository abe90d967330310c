/**
 * Seals a small secret (a data key) to a public key by a hybrid KEM: suite 1 is X-Wing
 * (draft-connolly-cfrg-xwing-kem, X25519 + ML-KEM-768), suite 2 MLKEM1024-P384 (draft-irtf-cfrg-concrete-hybrid-kems).
 * Box: KEM ciphertext || AES-256-GCM ciphertext and tag. Each encapsulation makes a key that seals once, so key and
 * nonce both come from HKDF over the shared secret, bound to suite, public key, KEM ciphertext and context.
 */
import { ml_kem1024_p384, ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import { concatBytes } from '../bytes/concat.js'
import { AteError } from '../error.js'
import { LABELS } from './labels.js'
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, type CryptoProvider } from './provider.js'
import { BOX_P384_ML_KEM_1024, BOX_X25519_ML_KEM_768, type BoxSuite } from './suites.js'
import { wipe } from './wipe.js'

/** A secret key of either suite is this seed. */
export const BOX_SEED_BYTES = 32
const KEY_BYTES = 32

interface BoxSizes {
  publicKey: number
  kemCiphertext: number
}

const SIZES: Record<BoxSuite, BoxSizes> = {
  [BOX_X25519_ML_KEM_768]: { publicKey: 1184 + 32, kemCiphertext: 1088 + 32 },
  [BOX_P384_ML_KEM_1024]: { publicKey: 1568 + 97, kemCiphertext: 1568 + 97 },
}

/** Lengths in bytes of a suite's public key and KEM ciphertext. */
export function boxSizes(suite: BoxSuite): Readonly<BoxSizes> {
  return SIZES[suite]
}

/** The public key of a 32-byte secret seed. */
export function boxPublicKey(suite: BoxSuite, seed: Uint8Array): Uint8Array {
  if (seed.length !== BOX_SEED_BYTES) {
    throw new AteError('BAD_ARGUMENT', `A box seed has ${BOX_SEED_BYTES} bytes, not ${seed.length}.`)
  }
  return kemOf(suite).keygen(seed).publicKey
}

/**
 * Seals `secret` to `publicKey`. `context` says what the box is for and must be given again to open it.
 * BAD_FORMAT when the public key is not one (it comes from others).
 */
export function sealBox(
  crypto: CryptoProvider,
  suite: BoxSuite,
  publicKey: Uint8Array,
  context: Uint8Array,
  secret: Uint8Array,
): Uint8Array {
  const { cipherText, sharedSecret } = encapsulate(suite, publicKey)
  const once = onceKey(crypto, suite, publicKey, cipherText, context, sharedSecret)
  const box = new Uint8Array(cipherText.length + secret.length + GCM_TAG_BYTES)
  box.set(cipherText)
  crypto.seal(once.key, once.nonce, LABELS.box, [secret], box, cipherText.length)
  wipe(once.key, sharedSecret)
  return box
}

/** Opens a box with the secret seed; undefined for anything not sealed to it with this context. */
export function openBox(
  crypto: CryptoProvider,
  suite: BoxSuite,
  seed: Uint8Array,
  context: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  const publicKey = boxPublicKey(suite, seed)
  const { kemCiphertext } = SIZES[suite]
  if (box.length < kemCiphertext + GCM_TAG_BYTES) return undefined
  const cipherText = box.subarray(0, kemCiphertext)
  const sharedSecret = decapsulate(suite, cipherText, seed)
  if (sharedSecret === undefined) return undefined
  const once = onceKey(crypto, suite, publicKey, cipherText, context, sharedSecret)
  const secret = crypto.open(once.key, once.nonce, LABELS.box, box.subarray(kemCiphertext))
  wipe(once.key, sharedSecret)
  return secret
}

function encapsulate(suite: BoxSuite, publicKey: Uint8Array): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
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
function decapsulate(suite: BoxSuite, cipherText: Uint8Array, seed: Uint8Array): Uint8Array | undefined {
  try {
    return kemOf(suite).decapsulate(cipherText, seed)
  } catch {
    return undefined
  }
}

function kemOf(suite: BoxSuite): typeof ml_kem768_x25519 {
  return suite === BOX_X25519_ML_KEM_768 ? ml_kem768_x25519 : ml_kem1024_p384
}

function onceKey(
  crypto: CryptoProvider,
  suite: BoxSuite,
  publicKey: Uint8Array,
  cipherText: Uint8Array,
  context: Uint8Array,
  sharedSecret: Uint8Array,
): { key: Uint8Array; nonce: Uint8Array } {
  // Every part but the last has a fixed length for the suite.
  const transcript = crypto.sha256(LABELS.box, Uint8Array.of(suite), publicKey, cipherText, context)
  const info = concatBytes(LABELS.box, transcript)
  const derived = crypto.hkdfSha256(sharedSecret, new Uint8Array(0), info, KEY_BYTES + GCM_NONCE_BYTES)
  return { key: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES) }
}
