/**
 * Who authenticates batches: a MAC under the chain's author key (everyone with the key could have written it) or a
 * signature (only its author could). The log treats both alike.
 */
import type { DataKey } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { publicKeyId, sign, SIGNATURE_BYTES, verify, type SigningKey } from '../crypto/signature.js'
import { AUTH_MAC, AUTH_SIGNATURE } from './format/batch-header.js'

export interface BatchAuthor {
  readonly authKind: number
  /** Bytes of one authentication. */
  readonly authBytes: number
  /** 32 bytes. */
  readonly keyId: Uint8Array
  /** `bytes` are a batch's stored header and table. */
  authenticate(bytes: Uint8Array): Uint8Array
  verify(bytes: Uint8Array, auth: Uint8Array): boolean
}

/** Authenticates with HMAC-SHA-256 under `author`. */
export function macAuthor(crypto: CryptoProvider, author: DataKey): BatchAuthor {
  const mac = (bytes: Uint8Array): Uint8Array => crypto.hmacSha256(author.key, LABELS.batchMac, bytes)
  return {
    authKind: AUTH_MAC,
    authBytes: 32,
    keyId: author.id,
    authenticate: mac,
    verify: (bytes, auth) => crypto.equal(mac(bytes), auth),
  }
}

/** Signs with both halves of `key`: some milliseconds a batch. */
export function signingAuthor(crypto: CryptoProvider, key: SigningKey): BatchAuthor {
  const { suite, publicKey } = key
  const digestOf = (bytes: Uint8Array): Uint8Array => crypto.sha256(LABELS.batchSignature, bytes)
  return {
    authKind: AUTH_SIGNATURE,
    authBytes: SIGNATURE_BYTES,
    keyId: publicKeyId(crypto, suite, publicKey),
    authenticate: (bytes) => sign(crypto, key, LABELS.batchSignature, digestOf(bytes)),
    verify: (bytes, auth) => verify(suite, publicKey, LABELS.batchSignature, digestOf(bytes), auth),
  }
}
