/** How one message is spelled. The two sides agree on one; both may know several. */
import { decodeMessagePack, type Packable, viewMessagePack } from '../engine/codec/message-pack.js'
import { AteError } from '../engine/error.js'
import { decodeJson, encodeJson } from './json.js'
import { MAX_MESSAGE_BYTES, SHARED_FRAME_BYTES } from './limits.js'

export type FormatName = 'msgpack' | 'json'

export interface Format {
  readonly id: number
  readonly name: FormatName
  /** What it returns lasts until the next call. */
  encode(value: Packable): Uint8Array
  /** Any value of the format: whoever takes it checks its shape. BAD_FORMAT for what is none. */
  decode(bytes: Uint8Array): unknown
}

export const FORMATS: readonly Format[] = [
  {
    id: 1,
    name: 'msgpack',
    encode: viewMessagePack,
    decode: decodeMessage,
  },
  { id: 2, name: 'json', encode: encodeJson, decode: decodeJson },
]

/** A large message is alone in its packet, whose bytes are ours. As plain bytes: views of a Buffer would be Buffers. */
function decodeMessage(bytes: Uint8Array): unknown {
  const isAlone = bytes.length > SHARED_FRAME_BYTES
  const plain = isAlone ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes
  return decodeMessagePack<unknown>(plain, MAX_MESSAGE_BYTES, (value) => value, 'message', isAlone ? 'keep' : 'copy')
}

export function formatNamed(name: FormatName): Format {
  const format = FORMATS.find((each) => each.name === name)
  if (format === undefined) throw new AteError('BAD_ARGUMENT', `There is no format ${name}.`)
  return format
}
