/**
 * The link of a batch: its place in the one order of the chain. The digests of links form the hash chain; a link is bound
 * by the next batch's base, by the manifest (closed segments) and by the anchor.
 */
import type { ByteReader } from '../../bytes/byte-reader.js'
import type { ByteWriter } from '../../bytes/byte-writer.js'
import { KEY_ID_BYTES } from '../../crypto/chain-keys.js'
import { LABELS } from '../../crypto/labels.js'
import type { CryptoProvider } from '../../crypto/provider.js'

export const DIGEST_BYTES = 32
export const LINK_BYTES = 8 + DIGEST_BYTES + DIGEST_BYTES + 8 + KEY_ID_BYTES
/** Digest of the link before the first. */
export const NO_DIGEST: Uint8Array = new Uint8Array(DIGEST_BYTES)

export interface Link {
  /** 1 for the first batch of a chain. */
  sequence: number
  /** Digest of the link before; zeros for the first. */
  previous: Uint8Array
  batchDigest: Uint8Array
  /** Milliseconds since 1970 by the sequencer's clock: for people, never for order. */
  timeMs: number
  /** Key id of who gave the sequence. */
  sequencer: Uint8Array
}

export function writeLink(writer: ByteWriter, link: Link): void {
  writer.u53(link.sequence).bytes(link.previous).bytes(link.batchDigest).u53(link.timeMs).bytes(link.sequencer)
}

export function readLink(reader: ByteReader): Link {
  return {
    sequence: reader.u53('sequence'),
    previous: reader.bytes(DIGEST_BYTES, 'previous link digest'),
    batchDigest: reader.bytes(DIGEST_BYTES, 'batch digest'),
    timeMs: reader.u53('time'),
    sequencer: reader.bytes(KEY_ID_BYTES, 'sequencer'),
  }
}

/** Digest over the stored bytes of a link. */
export function linkDigest(crypto: CryptoProvider, linkBytes: Uint8Array): Uint8Array {
  return crypto.sha256(LABELS.link, linkBytes)
}
