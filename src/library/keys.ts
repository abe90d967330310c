/** Keys for programs, made with the native cryptography. */
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { ReadKey, WriteKey } from '../engine/trust/keys.js'

/** A new key that opens what is sealed for it. */
export function generateReadKey(): ReadKey {
  return ReadKey.generate(nativeCrypto)
}

/** A read key from its 32 bytes. BAD_ARGUMENT. */
export function readKeyFrom(bytes: Uint8Array): ReadKey {
  return ReadKey.from(nativeCrypto, bytes)
}

/** A new key that changes what may be changed with it. */
export function generateWriteKey(): WriteKey {
  return WriteKey.generate(nativeCrypto)
}

/** A write key from the 64 bytes it was made of. BAD_ARGUMENT. */
export function writeKeyFromSeed(seed: Uint8Array): WriteKey {
  return WriteKey.fromSeed(nativeCrypto, seed)
}
