/** Who asks for what only those may have who have the key of the chain, and the public keys that tell. */
import { bytesOf, fields, integer, orElse, orNull, type Shape } from '../engine/codec/shape.js'
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_KEY_BYTES } from '../engine/crypto/signature.js'
import { parseSignatureSuite, type SignatureSuite } from '../engine/crypto/suites.js'
import { SESSION_BYTES } from './limits.js'

/** The key that the server signs heads with: its identity key, which a connection in clear does not show. */
export type HeadSigner = { readonly suite: SignatureSuite; readonly publicKey: Uint8Array }
/** That whoever asks has the key of the chain: `writer-proof.ts`. */
export type WriterProof = HeadSigner & { readonly signature: Uint8Array }
/** `proof` may be null when the channel has shown one for the session before. */
export type Writer = { readonly session: Uint8Array; readonly proof: WriterProof | null }

const suite: Shape<SignatureSuite> = (value, where) => parseSignatureSuite(integer(0, 0xff)(value, where))
const publicKey = { suite, publicKey: bytesOf(SIGNATURE_PUBLIC_KEY_BYTES) }
export const publicKeyOf = fields<HeadSigner>(publicKey)
const proof = fields<WriterProof>({ ...publicKey, signature: bytesOf(SIGNATURE_BYTES) })
export const writerFields = { session: bytesOf(SESSION_BYTES), proof: orElse(orNull(proof), null) }
export const writerOfRequest = fields<Writer>(writerFields)
