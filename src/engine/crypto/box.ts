/**
 * Seals a small secret (a data key) to a public key by a hybrid KEM (`kem.ts`).
 * Box: KEM ciphertext || AES-256-GCM ciphertext and tag. Each encapsulation makes a key that seals once, so key and
 * nonce both come from HKDF over the shared secret, bound to suite, public key, KEM ciphertext and context.
 */
import { concatBytes } from '../bytes/concat.js'
import { boxPublicKey, boxSizes, decapsulate, encapsulate } from './kem.js'
import { LABELS } from './labels.js'
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, type CryptoProvider } from './provider.js'
import { type BoxSuite } from './suites.js'
import { wipe } from './wipe.js'

const KEY_BYTES = 32

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
  const { kemCiphertext } = boxSizes(suite)
  if (box.length < kemCiphertext + GCM_TAG_BYTES) return undefined
  const cipherText = box.subarray(0, kemCiphertext)
  const sharedSecret = decapsulate(suite, cipherText, seed)
  if (sharedSecret === undefined) return undefined
  const once = onceKey(crypto, suite, publicKey, cipherText, context, sharedSecret)
  const secret = crypto.open(once.key, once.nonce, LABELS.box, box.subarray(kemCiphertext))
  wipe(once.key, sharedSecret)
  return secret
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
