/**
 * One check for both providers: node:crypto takes nonces of other lengths (and derives the counter from a GHASH of
 * them, SP 800-38D section 7.1), which this format never uses.
 */
import { AteError } from '../error.js'
import { GCM_NONCE_BYTES } from './provider.js'

/** Throws BAD_ARGUMENT unless the key is one of AES and the nonce 12 bytes. */
export function checkGcmArguments(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== 32 && key.length !== 24 && key.length !== 16) {
    throw new AteError('BAD_ARGUMENT', `An AES key has 16, 24 or 32 bytes, not ${key.length}.`)
  }
  if (nonce.length !== GCM_NONCE_BYTES) {
    throw new AteError('BAD_ARGUMENT', `A nonce has ${GCM_NONCE_BYTES} bytes, not ${nonce.length}.`)
  }
}

/** Throws BAD_ARGUMENT unless there is nothing to open `bytes` to, or exactly as much. */
export function checkOpenTarget(bytes: number, into: Uint8Array | undefined): void {
  if (into === undefined || into.length === bytes) return
  throw new AteError('BAD_ARGUMENT', `${bytes} opened bytes do not go to ${into.length}.`)
}

/** What was opened, where it was to go. */
export function opened(plaintext: Uint8Array | undefined, into: Uint8Array | undefined): Uint8Array | undefined {
  if (into === undefined) return plaintext
  if (plaintext === undefined) into.fill(0)
  else into.set(plaintext)
  return plaintext === undefined ? undefined : into
}

/** Throws BAD_ARGUMENT unless `bytes` fit into `target` from `targetStart`. */
export function checkSealTarget(bytes: number, target: Uint8Array, targetStart: number): void {
  if (targetStart >= 0 && targetStart + bytes <= target.length) return
  throw new AteError('BAD_ARGUMENT', `${bytes} sealed bytes do not fit at ${targetStart} of ${target.length}.`)
}
