/** Evidence that a server has shown two histories, as bytes that can be handed on: two heads that it has signed, and its key. */
import { bytesOf, fields, integer } from '../engine/codec/shape.js'
import { decodeMessagePack, encodeMessagePack } from '../engine/codec/message-pack.js'
import { CHAIN_ID_BYTES } from '../engine/crypto/chain-keys.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { AteError } from '../engine/error.js'
import { toHex } from '../engine/bytes/hex.js'
import { serverKeyId } from '../wire/index.js'
import { type SignedHead, signedHeadOf } from './pushes.js'
import { type HeadSigner, publicKeyOf } from './writer-shape.js'
import { type ForkEvidence, isForkProven } from './signed-head.js'

/** More than evidence takes. */
export const MAX_EVIDENCE_BYTES = 16 * 1024
const VERSION = 1

type Stored = ForkEvidence & { readonly version: number; readonly signer: HeadSigner }
const stored = fields<Stored>({
  version: integer(1, 0xffff),
  chainId: bytesOf(CHAIN_ID_BYTES),
  signer: publicKeyOf,
  one: signedHeadOf,
  other: signedHeadOf,
})

/** What evidence says. */
export interface ForkReport {
  /** 64 hexadecimal digits: whose signatures they are. Compare it with the key of the server that is meant. */
  readonly serverKey: string
  /** 32 hexadecimal digits. */
  readonly chainId: string
  /** Of the batches that the two heads name. */
  readonly sequences: readonly [number, number]
  /** Both signatures are right, and the heads name two batches of one sequence: who has this key has shown two histories. */
  readonly isProven: boolean
}

export function encodeForkEvidence(
  { chainId, one, other }: ForkEvidence,
  { suite, publicKey }: HeadSigner,
): Uint8Array {
  const signer = { suite, publicKey }
  return encodeMessagePack({ version: VERSION, chainId, signer, one: plain(one), other: plain(other) })
}

/** Needs nothing but the bytes, which may come from anybody. BAD_FORMAT, UNSUPPORTED_FORMAT. Some 6 ms. */
export function checkForkEvidence(crypto: CryptoProvider, bytes: Uint8Array): ForkReport {
  const { version, signer, ...evidence } = decodeMessagePack(bytes, MAX_EVIDENCE_BYTES, stored, 'evidence')
  if (version !== VERSION)
    throw new AteError('UNSUPPORTED_FORMAT', `The evidence has version ${version}, which is newer.`)
  return {
    serverKey: serverKeyId(crypto, signer),
    chainId: toHex(evidence.chainId),
    sequences: [evidence.one.sequence, evidence.other.sequence],
    isProven: isForkProven(crypto, signer, evidence),
  }
}

function plain({ sequence, digest, timeMs, signature }: SignedHead): SignedHead {
  return { sequence, digest, timeMs, signature }
}
