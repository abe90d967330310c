/**
 * A server's word on the head of a chain. Two of one sequence with different digests are evidence that it has shown two
 * histories: anybody can check it who knows the server's key.
 */
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { LABELS } from '../engine/crypto/labels.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { verify } from '../engine/crypto/signature.js'
import type { PublicKey, Signer } from '../wire/signer.js'
import type { Point } from './points.js'
import type { SignedHead } from './pushes.js'

/** What is signed: 32 bytes. */
function headDigest(crypto: CryptoProvider, chainId: Uint8Array, head: Point & { timeMs: number }): Uint8Array {
  const writer = new ByteWriter(64).u53(head.sequence).bytes(head.digest).u53(head.timeMs)
  return crypto.sha256(LABELS.serverHead, chainId, writer.view())
}

/** Some milliseconds, in a worker if the signer has one. */
export async function signHead(
  crypto: CryptoProvider,
  signer: Signer,
  chainId: Uint8Array,
  { sequence, digest }: Point,
  timeMs: number,
): Promise<SignedHead> {
  const signature = await signer.sign(LABELS.serverHead, headDigest(crypto, chainId, { sequence, digest, timeMs }))
  return { sequence, digest, timeMs, signature }
}

/** True when the server with that key has signed it for that chain; some 3 ms. */
export function isHeadAuthentic(
  crypto: CryptoProvider,
  server: PublicKey,
  chainId: Uint8Array,
  head: SignedHead,
): boolean {
  const digest = headDigest(crypto, chainId, head)
  return verify(server.suite, server.publicKey, LABELS.serverHead, digest, head.signature)
}

export interface ForkEvidence {
  readonly chainId: Uint8Array
  readonly one: SignedHead
  readonly other: SignedHead
}

/** True when the two heads prove that the server has shown two histories of the chain. */
export function isForkProven(
  crypto: CryptoProvider,
  server: PublicKey,
  { chainId, one, other }: ForkEvidence,
): boolean {
  const isFork = one.sequence === other.sequence && !equalBytes(one.digest, other.digest)
  return isFork && [one, other].every((head) => isHeadAuthentic(crypto, server, chainId, head))
}
