/**
 * MessagePack for small files and messages that are not on a hot path. The only importer of msgpackr, by its entry
 * without native or generated code; records, extensions and structures shared between messages are off: one value has
 * one meaning.
 */
import { Packr } from 'msgpackr/index-no-eval'
import { AteError } from '../error.js'
import type { Shape } from './shape.js'
import { checkStructure } from './structure.js'

/** What can be encoded. Integers must be exact (below 2^53). */
export type Packable =
  null | boolean | number | string | Uint8Array | readonly Packable[] | { readonly [key: string]: Packable }

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' })

export function encodeMessagePack(value: Packable): Uint8Array {
  return new Uint8Array(packr.pack(value))
}

/** As `encodeMessagePack`, into the memory that `take` gives for so many bytes. */
export function encodeMessagePackInto(value: Packable, take: (length: number) => Uint8Array): Uint8Array {
  const packed = packr.pack(value)
  const bytes = take(packed.length)
  bytes.set(packed)
  return bytes
}

/**
 * Decodes untrusted bytes into the shape asked for. BAD_FORMAT when they are longer than `maxBytes`, are not exactly
 * one value, or have another shape. `what` names them in errors. Byte strings are views of a copy made here.
 */
export function decodeMessagePack<T>(bytes: Uint8Array, maxBytes: number, shape: Shape<T>, what: string): T {
  if (bytes.length > maxBytes) {
    throw new AteError('BAD_FORMAT', `${what}: ${bytes.length} bytes, more than the ${maxBytes} allowed`)
  }
  checkStructure(bytes, what)
  const value: unknown = packr.unpack(new Uint8Array(bytes))
  return shape(value, what)
}
