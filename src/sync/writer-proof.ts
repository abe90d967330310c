/**
 * Who has the key of a chain shows it to a server that has not: he signs what only this connection has, with a key that is derived
 * from the chain's own. The server knows its public half from whoever made the chain.
 */
import { LABELS } from '../engine/crypto/labels.js'
import type { ChainKeys } from '../engine/crypto/chain-keys.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { type SigningKey, sign, signingKeyFromSeed, wipeSigningKey } from '../engine/crypto/signature.js'
import type { PublicKey } from '../wire/index.js'
import type { WriterProof } from './writer-shape.js'

/** What is signed besides the label. */
export interface WriterClaim {
  /** 16 bytes. */
  readonly chainId: Uint8Array
  /** Of the client: 16 bytes. */
  readonly session: Uint8Array
  /** Transcript 2 of the connection: both sides have put random numbers into it. */
  readonly transcript: Uint8Array
}

/** The public key of who may write a chain; some 3 ms. */
export function writerOf(keys: ChainKeys): PublicKey {
  const key = signingKeyFromSeed(keys.writerSeed)
  wipeSigningKey(key)
  return { suite: key.suite, publicKey: key.publicKey }
}

/** Some 10 ms: once for each connection. */
export function proveWriter(crypto: CryptoProvider, keys: ChainKeys, claim: WriterClaim): WriterProof {
  const key: SigningKey = signingKeyFromSeed(keys.writerSeed)
  try {
    const signature = sign(crypto, key, LABELS.writerTurn, writerDigest(crypto, claim))
    return { suite: key.suite, publicKey: key.publicKey, signature }
  } finally {
    wipeSigningKey(key)
  }
}

/** What the signature of a proof covers: 32 bytes. */
export function writerDigest(crypto: CryptoProvider, { chainId, session, transcript }: WriterClaim): Uint8Array {
  return crypto.sha256(LABELS.writerTurn, chainId, session, transcript)
}
