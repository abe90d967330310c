/**
 * Access keys seal the objects of one read rule. Each lies in the chain, sealed for every read key that the rule names;
 * when somebody is taken out of a rule, what is written from then on is sealed with a new one, of the next epoch.
 *
 * A seal: salt (32), nonce (12), ciphertext and tag (16). The key is derived from the access key and the salt, which are
 * random as the nonce is, so that copies of a chain never meet (`docs/security.md`).
 */
import { concatBytes } from '../bytes/concat.js'
import { LABELS } from '../crypto/labels.js'
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, type CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import type { ReadKey } from './keys.js'

export const ACCESS_KEY_BYTES = 32
const SALT_BYTES = 32
export const SEAL_OVERHEAD_BYTES = SALT_BYTES + GCM_NONCE_BYTES + GCM_TAG_BYTES

/** Seals `plaintext` for `context`, which must be the same when it is opened. */
export function sealWith(
  crypto: CryptoProvider,
  key: Uint8Array,
  label: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const salt = crypto.randomBytes(SALT_BYTES)
  const nonce = crypto.randomBytes(GCM_NONCE_BYTES)
  const sealed = new Uint8Array(SEAL_OVERHEAD_BYTES + plaintext.length)
  sealed.set(salt)
  sealed.set(nonce, SALT_BYTES)
  const derived = crypto.hkdfSha256(key, salt, label, ACCESS_KEY_BYTES)
  crypto.seal(derived, nonce, concatBytes(label, context), [plaintext], sealed, SALT_BYTES + GCM_NONCE_BYTES)
  derived.fill(0)
  return sealed
}

/** BODY_DAMAGED when it was not sealed so. */
export function openWith(
  crypto: CryptoProvider,
  key: Uint8Array,
  label: Uint8Array,
  context: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  if (sealed.length < SEAL_OVERHEAD_BYTES) throw new AteError('BODY_DAMAGED', 'What was sealed is cut off.')
  const derived = crypto.hkdfSha256(key, sealed.subarray(0, SALT_BYTES), label, ACCESS_KEY_BYTES)
  const nonce = sealed.subarray(SALT_BYTES, SALT_BYTES + GCM_NONCE_BYTES)
  const rest = sealed.subarray(SALT_BYTES + GCM_NONCE_BYTES)
  const plaintext = crypto.open(derived, nonce, concatBytes(label, context), rest)
  derived.fill(0)
  if (plaintext === undefined) throw new AteError('BODY_DAMAGED', 'What was sealed does not verify.')
  return plaintext
}

export function wrapAccessKey(
  crypto: CryptoProvider,
  readKey: ReadKey,
  context: Uint8Array,
  key: Uint8Array,
): Uint8Array {
  return sealWith(crypto, readKey.bytes, LABELS.accessKeyWrap, context, key)
}

export function unwrapAccessKey(
  crypto: CryptoProvider,
  readKey: ReadKey,
  context: Uint8Array,
  wrapped: Uint8Array,
): Uint8Array {
  return openWith(crypto, readKey.bytes, LABELS.accessKeyWrap, context, wrapped)
}
