/** What both sides have seen, as digests. Every length is written or fixed by what comes before it. */
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { LABELS } from '../engine/crypto/labels.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'

/** Transcript 1: what the server signs. `serverHello` is without its signature. */
export function helloDigest(crypto: CryptoProvider, clientHello: Uint8Array, serverHello: Uint8Array): Uint8Array {
  const lengthOf = (bytes: Uint8Array): Uint8Array => new ByteWriter(4).u32(bytes.length).copy()
  return crypto.sha256(LABELS.wireHello, lengthOf(clientHello), clientHello, lengthOf(serverHello), serverHello)
}

/** Transcript 2: what keys are derived from and the client's proofs sign. Without encryption nothing follows the hellos. */
export function connectionDigest(
  crypto: CryptoProvider,
  hello: Uint8Array,
  ...keys: readonly Uint8Array[]
): Uint8Array {
  return crypto.sha256(LABELS.wireTranscript, hello, ...keys)
}
