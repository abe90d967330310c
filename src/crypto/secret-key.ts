/** Sealing with a key that both sides have: AES-256-GCM, with a key of its own for every message. */
import { ARGON2_SALT_BYTES, DEFAULT_ARGON2_COST, deriveFromPassphrase } from '../engine/crypto/argon2.js'
import { LABELS } from '../engine/crypto/labels.js'
import { nobleProvider } from '../engine/crypto/noble-provider.js'
import { AteError } from '../engine/error.js'
import { openWith, sealWith } from '../engine/trust/access-keys.js'
import { randomBytes } from './random-bytes.js'

const KEY_BYTES = 32
const NO_CONTEXT = new Uint8Array(0)

/** A new key for `seal`: 32 random bytes. Secret. */
export function generateKey(): Uint8Array {
  return randomBytes(KEY_BYTES)
}

/**
 * A key for `seal` from a passphrase, by Argon2id (RFC 9106) with 64 MiB and 3 passes: some 0.3 s. EMPTY_PASSPHRASE,
 * BAD_ARGUMENT.
 *
 * @param salt - 32 random bytes, which are kept beside what is sealed. Not secret.
 * @returns 32 bytes. Secret.
 */
export async function keyFromPassphrase(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  demandLength('salt', salt, ARGON2_SALT_BYTES)
  return deriveFromPassphrase(new TextEncoder().encode(passphrase), salt, DEFAULT_ARGON2_COST)
}

/**
 * Seals a message: nobody without the key reads it, or changes it without being caught. Any number of messages may be sealed
 * with one key. BAD_ARGUMENT for a key of another length.
 *
 * @param key - 32 bytes.
 * @param context - What the message is and where it belongs; the same must be given to open it. Not secret, not stored.
 * @returns Salt (32), nonce (12), ciphertext, tag (16): 60 bytes more than the message.
 */
export function seal(key: Uint8Array, message: Uint8Array, context: Uint8Array = NO_CONTEXT): Uint8Array {
  demandLength('key', key, KEY_BYTES)
  return sealWith(nobleProvider, key, LABELS.programSeal, context, message)
}

/**
 * Opens what `seal` has sealed. BODY_DAMAGED when it was not sealed with this key and this context, or was changed.
 *
 * @param key - 32 bytes.
 */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: Uint8Array = NO_CONTEXT): Uint8Array {
  demandLength('key', key, KEY_BYTES)
  return openWith(nobleProvider, key, LABELS.programSeal, context, sealed)
}

function demandLength(what: string, { length }: Uint8Array, wanted: number): void {
  if (length !== wanted) throw new AteError('BAD_ARGUMENT', `A ${what} has ${wanted} bytes, not ${length}.`)
}
