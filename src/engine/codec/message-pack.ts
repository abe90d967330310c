/**
 * MessagePack of whole values, for small files and for what was stored. The only importer of msgpackr, which decodes, by its entry
 * without native or generated code; records, extensions and structures shared between messages are off: one value has
 * one meaning.
 */
import { copyOf } from '../bytes/copy.js'
import { Unpackr } from 'msgpackr/index-no-eval'
import { AteError } from '../error.js'
import { MessagePackWriter } from './message-pack-writer.js'
import type { Shape } from './shape.js'
import { checkStructure } from './structure.js'

/** What can be encoded. Integers must be exact (below 2^53). */
export type Packable =
  null | boolean | number | string | Uint8Array | readonly Packable[] | { readonly [key: string]: Packable }

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** What a larger value has made of the memory below is not kept. */
const KEPT_BYTES = 2 * 1024 * 1024
let kept = new MessagePackWriter()

/** BAD_ARGUMENT for a text that is not Unicode. */
export function encodeMessagePack(value: Packable): Uint8Array {
  return copyOf(viewMessagePack(value))
}

/** As `encodeMessagePack`; what it returns lasts until the next call. */
export function viewMessagePack(value: Packable): Uint8Array {
  if (kept.capacity > KEPT_BYTES) kept = new MessagePackWriter()
  write(kept.reset(), value)
  return kept.view()
}

function write(writer: MessagePackWriter, value: Packable): void {
  if (value === null) writer.nil()
  else if (typeof value === 'boolean') writer.boolean(value)
  else if (typeof value === 'number') writer.number(value)
  else if (typeof value === 'string') writeText(writer, value)
  else if (value instanceof Uint8Array) writer.binary(value)
  else if (isArray(value)) {
    writer.array(value.length)
    for (const item of value) write(writer, item)
  } else {
    const entries = Object.entries(value)
    writer.map(entries.length)
    for (const [name, item] of entries) {
      writeText(writer, name)
      write(writer, item)
    }
  }
}

function writeText(writer: MessagePackWriter, text: string): void {
  if (!writer.text(text)) throw new AteError('BAD_ARGUMENT', 'a text is not Unicode')
}

function isArray(value: Packable): value is readonly Packable[] {
  return Array.isArray(value)
}

/** `keep`: the bytes are given away, and what is decoded may be views of them. `copy`: of a copy. */
export type BytesUse = 'keep' | 'copy'

/**
 * Decodes untrusted bytes into the shape asked for. BAD_FORMAT when they are longer than `maxBytes`, are not exactly
 * one value, or have another shape. `what` names them in errors. Byte strings are views of a copy made here, or of the bytes.
 */
export function decodeMessagePack<T>(
  bytes: Uint8Array,
  maxBytes: number,
  shape: Shape<T>,
  what: string,
  use: BytesUse = 'copy',
): T {
  if (bytes.length > maxBytes) {
    throw new AteError('BAD_FORMAT', `${what}: ${bytes.length} bytes, more than the ${maxBytes} allowed`)
  }
  checkStructure(bytes, what)
  const value: unknown = unpackr.unpack(use === 'keep' ? bytes : new Uint8Array(bytes))
  return shape(value, what)
}
