/** What is in a frame. */
import { ByteReader } from '../engine/bytes/byte-reader.js'
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { concatBytes } from '../engine/bytes/concat.js'
import { fromLatin1 } from '../engine/bytes/latin1.js'
import type { Compression } from './compression.js'
import { MAX_FRAME_MESSAGES, MAX_MESSAGE_BYTES, MAX_PAYLOAD_BYTES, MAX_REASON_BYTES } from './limits.js'
import { AteError } from '../engine/error.js'
import { encodeTextWithin, readText } from './utf8.js'

const PAYLOAD = { MESSAGES: 0, COMPRESSED: 1, CLOSE: 2, FINISH: 3 } as const

const MAX_CODE_BYTES = 64
/** Smaller messages are brought together first: each piece costs something. */
const LARGE_BYTES = 4096

export type Payload =
  | { kind: 'messages'; messages: Uint8Array[] }
  | { kind: 'close'; code: string; reason: string }
  | { kind: 'finish'; body: Uint8Array }

/** Of all connections: payloads are sealed at once. */
const shared = new ByteWriter()

/**
 * As many as fit; none is a sign of life. The payload is returned in pieces, one behind the other, which last until the next call:
 * large messages are sealed where they are.
 */
export function encodeMessages(messages: readonly Uint8Array[]): readonly Uint8Array[] {
  const writer = shared.reset()
  writer.u8(PAYLOAD.MESSAGES)
  const larges: { message: Uint8Array; at: number }[] = []
  for (const message of messages) {
    writer.varint(message.length)
    if (message.length < LARGE_BYTES) writer.bytes(message)
    else larges.push({ message, at: writer.length })
  }
  const small = writer.view()
  const pieces: Uint8Array[] = []
  let from = 0
  for (const { message, at } of larges) {
    pieces.push(small.subarray(from, at), message)
    from = at
  }
  if (from < small.length) pieces.push(small.subarray(from))
  return pieces
}

/** The payload of messages, compressed; undefined when that is not worth it. */
export function compressMessages(
  pieces: readonly Uint8Array[],
  compression: Compression,
): readonly Uint8Array[] | undefined {
  const payload = concatBytes(...pieces)
  const compressed = compression.compress(payload.subarray(1))
  if (compressed.length > payload.length * 0.9) return undefined
  const writer = new ByteWriter(compressed.length + 5)
  writer
    .u8(PAYLOAD.COMPRESSED)
    .u32(payload.length - 1)
    .bytes(compressed)
  return [writer.view()]
}

export function encodeClose(code: string, reason: string): Uint8Array {
  return encodeReason(new ByteWriter().u8(PAYLOAD.CLOSE), code, reason).copy()
}

export function encodeFinish(body: Uint8Array): Uint8Array {
  return new ByteWriter(body.length + 1).u8(PAYLOAD.FINISH).bytes(body).copy()
}

/** BAD_FORMAT for anything else. Messages are views. */
export function decodePayload(payload: Uint8Array, compression: Compression | undefined): Payload {
  const reader = new ByteReader(payload, 'payload')
  const kind = reader.u8('kind')
  if (kind === PAYLOAD.MESSAGES) return { kind: 'messages', messages: splitMessages(reader) }
  if (kind === PAYLOAD.COMPRESSED) return { kind: 'messages', messages: splitMessages(inflate(reader, compression)) }
  if (kind === PAYLOAD.CLOSE) return { kind: 'close', ...readReason(reader) }
  if (kind === PAYLOAD.FINISH) return { kind: 'finish', body: reader.bytes(reader.remaining, 'finish') }
  throw reader.bad('kind', `is ${kind}`, 0)
}

/** A code and a text for people, as in close and refusal. */
export function encodeReason(writer: ByteWriter, code: string, reason: string): ByteWriter {
  const text = encodeTextWithin(reason, MAX_REASON_BYTES)
  return writer.u8(code.length).bytes(fromLatin1(code)).u16(text.length).bytes(text)
}

export function readReason(reader: ByteReader): { code: string; reason: string } {
  const length = reader.u8('length of the code')
  if (length > MAX_CODE_BYTES) throw reader.bad('code', 'is too long')
  const code = reader.latin1(length, 'code')
  const reason = readText(reader, 0, MAX_REASON_BYTES, 'reason')
  reader.done()
  return { code, reason }
}

function splitMessages(reader: ByteReader): Uint8Array[] {
  const messages: Uint8Array[] = []
  while (reader.remaining > 0) {
    if (messages.length === MAX_FRAME_MESSAGES) throw reader.bad('messages', `are more than ${MAX_FRAME_MESSAGES}`)
    const length = reader.varint('length of a message')
    if (length > MAX_MESSAGE_BYTES)
      throw new AteError('MESSAGE_TOO_LARGE', `A message of ${length} bytes is too large.`)
    messages.push(reader.bytes(length, 'message'))
  }
  return messages
}

function inflate(reader: ByteReader, compression: Compression | undefined): ByteReader {
  if (compression === undefined) throw reader.bad('kind', 'is compressed, which was not agreed', 0)
  const length = reader.u32('inflated length')
  if (length >= MAX_PAYLOAD_BYTES)
    throw new AteError('MESSAGE_TOO_LARGE', `A frame of ${length} bytes once inflated is too large.`)
  const messages = compression.decompress(reader.bytes(reader.remaining, 'compressed messages'), length)
  if (messages?.length !== length) throw reader.bad('compressed messages', `do not inflate to ${length} bytes`)
  return new ByteReader(messages, 'inflated messages')
}
