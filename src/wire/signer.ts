/** Who can sign for a public key: a key in this process, or a worker that has it (a signature takes some 7 ms). */
import { fromHex, toHex } from '../engine/bytes/hex.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { publicKeyId, sign, type SigningKey } from '../engine/crypto/signature.js'
import type { SignatureSuite } from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'

export interface PublicKey {
  readonly suite: SignatureSuite
  readonly publicKey: Uint8Array
}

export interface Signer extends PublicKey {
  /** Signs 32 bytes for a purpose (one of LABELS). */
  sign(purpose: Uint8Array, digest: Uint8Array): Promise<Uint8Array>
}

declare const brand: unique symbol
/** Names the identity key of a server, and commits to it: 64 hexadecimal digits. Public. */
export type ServerKeyId = string & { readonly [brand]: 'ServerKeyId' }

export function signerOf(crypto: CryptoProvider, key: SigningKey): Signer {
  const { suite, publicKey } = key
  return { suite, publicKey, sign: async (purpose, digest) => sign(crypto, key, purpose, digest) }
}

export function serverKeyId(crypto: CryptoProvider, { suite, publicKey }: PublicKey): ServerKeyId {
  return toHex(publicKeyId(crypto, suite, publicKey)) as ServerKeyId
}

/** What a user gives or a file has. BAD_FORMAT for anything but 64 hexadecimal digits. */
export function parseServerKeyId(text: string): ServerKeyId {
  const bytes = fromHex(text)
  if (bytes.length !== 32) throw new AteError('BAD_FORMAT', 'The key of a server is named by 64 hexadecimal digits.')
  return text as ServerKeyId
}
