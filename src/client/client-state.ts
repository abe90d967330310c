/**
 * What a client must know of a chain when it starts again: who it is to the server, which turn it had, and what it has seen
 * there. It lies beside the replica (`remote-file.ts`); without it nothing is lost but the word on what the server had.
 */
import { decodeMessagePack, encodeMessagePack } from '../engine/codec/message-pack.js'
import { bytesOf, bytesUpTo, fields, integer, orElse, orNull, text } from '../engine/codec/shape.js'
import { SIGNATURE_BYTES } from '../engine/crypto/signature.js'
import { AteError } from '../engine/error.js'
import { DIGEST_BYTES } from '../engine/log/format/link.js'
import type { LogEnd } from '../engine/log/index.js'
import { type SignedHead, SESSION_BYTES } from '../sync/index.js'

export const MAX_REMOTE_FILE_BYTES = 64 * 1024
const VERSION = 1

export interface ClientState {
  /** Address of the chain: one that is served elsewhere is another's business. */
  readonly url: string
  /** 16 bytes, as long as the replica lives. */
  readonly session: Uint8Array
  /** Of the last turn that was given; 0 before the first, and after one was given back. */
  readonly term: number
  /** The last batch known to be on the server, and the same as here. */
  readonly server: LogEnd
  /** The last word that the server has signed, and that was found right; and its key. */
  readonly head: SignedHead | null
  readonly signer: Uint8Array | null
  /** What the batches up to this one drop has been given back here. */
  readonly freed: number
}

type Stored = ClientState & { readonly version: number }

const MAX_URL_LENGTH = 4096
const MAX_SIGNER_BYTES = 4096
const sequence = integer(0, Number.MAX_SAFE_INTEGER)
const point = { sequence, digest: bytesOf(DIGEST_BYTES) }
const stored = fields<Stored>({
  version: integer(1, 0xffff),
  url: text(MAX_URL_LENGTH),
  session: bytesOf(SESSION_BYTES),
  term: sequence,
  server: fields<LogEnd>(point),
  head: orNull(fields<SignedHead>({ ...point, timeMs: sequence, signature: bytesOf(SIGNATURE_BYTES) })),
  signer: orNull(bytesUpTo(MAX_SIGNER_BYTES)),
  freed: orElse(sequence, 0),
})

export function encodeClientState({ url, session, term, server, head, signer, freed }: ClientState): Uint8Array {
  const { sequence, digest } = server
  return encodeMessagePack({ version: VERSION, url, session, term, server: { sequence, digest }, head, signer, freed })
}

/** BAD_FORMAT, UNSUPPORTED_FORMAT. */
export function decodeClientState(bytes: Uint8Array): ClientState {
  const { version, ...state } = decodeMessagePack(bytes, MAX_REMOTE_FILE_BYTES, stored, 'remote')
  if (version !== VERSION)
    throw new AteError(
      'UNSUPPORTED_FORMAT',
      `What the client knows of its server has version ${version}, which is newer.`,
    )
  return state
}
