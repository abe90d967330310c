/** How one message is spelled. The two sides agree on one; both may know several. */
import { decodeMessagePack, encodeMessagePack, type Packable } from '../engine/codec/message-pack.js'
import { AteError } from '../engine/error.js'
import { decodeJson, encodeJson } from './json.js'
import { MAX_MESSAGE_BYTES } from './limits.js'

export type FormatName = 'msgpack' | 'json'

export interface Format {
  readonly id: number
  readonly name: FormatName
  encode(value: Packable): Uint8Array
  /** Any value of the format: whoever takes it checks its shape. BAD_FORMAT for what is none. */
  decode(bytes: Uint8Array): unknown
}

export const FORMATS: readonly Format[] = [
  {
    id: 1,
    name: 'msgpack',
    encode: encodeMessagePack,
    decode: (bytes) => decodeMessagePack<unknown>(bytes, MAX_MESSAGE_BYTES, (value) => value, 'message'),
  },
  { id: 2, name: 'json', encode: encodeJson, decode: decodeJson },
]

export function formatNamed(name: FormatName): Format {
  const format = FORMATS.find((each) => each.name === name)
  if (format === undefined) throw new AteError('BAD_ARGUMENT', `There is no format ${name}.`)
  return format
}
