/** Keys for programs, in Node and in browsers. */
import { concatBytes } from '../engine/bytes/concat.js'
import { LABELS } from '../engine/crypto/labels.js'
import { nobleProvider } from '../engine/crypto/noble-provider.js'
import { publicKeyId, sign, SIGNATURE_PUBLIC_KEY_BYTES, verify } from '../engine/crypto/signature.js'
import { SIGNATURE_ED25519_ML_DSA_65 } from '../engine/crypto/suites.js'
import { type KeyId, keyIdOf, ReadKey, WriteKey } from '../engine/trust/keys.js'

/** A new key that opens what is sealed for it. */
export function generateReadKey(): ReadKey {
  return ReadKey.generate(nobleProvider)
}

/** A read key from its 32 bytes. BAD_ARGUMENT. */
export function readKeyFrom(bytes: Uint8Array): ReadKey {
  return ReadKey.from(nobleProvider, bytes)
}

/** A new key that changes what may be changed with it. */
export function generateWriteKey(): WriteKey {
  return WriteKey.generate(nobleProvider)
}

/** A write key from the 64 bytes it was made of. BAD_ARGUMENT. */
export function writeKeyFromSeed(seed: Uint8Array): WriteKey {
  return WriteKey.fromSeed(nobleProvider, seed)
}

/** What tells everyone whose it is: 5,357 bytes, the public key and the signature. Takes some milliseconds. */
export function signMessage(key: WriteKey, message: Uint8Array): Uint8Array {
  const digest = nobleProvider.sha256(LABELS.message, message)
  return concatBytes(key.signing.publicKey, sign(nobleProvider, key.signing, LABELS.message, digest))
}

/** The id of the write key that has signed just this message; undefined when none has. */
export function signerOf(message: Uint8Array, signed: Uint8Array): KeyId | undefined {
  const suite = SIGNATURE_ED25519_ML_DSA_65
  const publicKey = signed.subarray(0, SIGNATURE_PUBLIC_KEY_BYTES)
  const digest = nobleProvider.sha256(LABELS.message, message)
  const isSigned = verify(suite, publicKey, LABELS.message, digest, signed.subarray(SIGNATURE_PUBLIC_KEY_BYTES))
  return isSigned ? keyIdOf(publicKeyId(nobleProvider, suite, publicKey)) : undefined
}
