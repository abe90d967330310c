/** Why a server does not go on with a handshake. Nothing authenticates it: it is only ever a reason to give up. */
import { ByteReader } from '../engine/bytes/byte-reader.js'
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { AteError, type ErrorCode } from '../engine/error.js'
import { PACKET } from './packet-types.js'
import { encodeReason, readReason } from './payload.js'

/** What a server may say about itself. Whatever concerns its identity is for the client alone to find. */
const SAID: ReadonlySet<string> = new Set<ErrorCode>([
  'WIRE_NOT_AGREED',
  'HANDSHAKE_FORGED',
  'FRAME_FORGED',
  'BAD_FORMAT',
  'TIMED_OUT',
  'MESSAGE_TOO_LARGE',
  'NOT_FOUND',
])

/** Whatever else goes wrong on a server is nobody's business outside of it: neither what, nor in which words. */
export function encodeRefusal({ code, message }: AteError): Uint8Array {
  const [said, reason] = isSaid(code) ? [code, plainText(message)] : ['CONNECTION_FAILED', 'It cannot go on.']
  return encodeReason(new ByteWriter().u8(PACKET.REFUSAL), said, reason).copy()
}

/** The error to give up with. */
export function decodeRefusal(packet: Uint8Array): AteError {
  const reader = new ByteReader(packet, 'refusal')
  reader.u8('type')
  const { code, reason } = readReason(reader)
  const said = isSaid(code) ? code : 'CONNECTION_FAILED'
  return new AteError(said, `The server refuses: ${plainText(reason)}`)
}

/** Without what a terminal would obey. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

function isSaid(code: string): code is ErrorCode {
  return SAID.has(code)
}
