/**
 * Little-endian writer over a buffer that grows by doubling. One writer is kept and `reset` between uses, so that
 * encoding on hot paths allocates nothing. Values out of range are a caller's mistake and throw, never wrap.
 */
import { AteError } from '../error.js'

const TWO_32 = 0x1_0000_0000

const utf8 = new TextEncoder()

export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(initialBytes = 256) {
    this.#bytes = new Uint8Array(Math.max(initialBytes, 16))
  }

  /** Bytes written since the last reset. */
  get length(): number {
    return this.#length
  }

  /** Forgets what was written and keeps the memory: earlier `view`s are overwritten. */
  reset(): this {
    this.#length = 0
    return this
  }

  /** Makes room for `count` more bytes, so that what follows does not grow the buffer again. */
  reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  u8(value: number): this {
    if (value !== (value & 0xff)) throw outOfRange('u8')
    this.reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u16(value: number): this {
    if (value !== (value & 0xffff)) throw outOfRange('u16')
    this.reserve(2)
    const bytes = this.#bytes
    bytes[this.#length++] = value
    bytes[this.#length++] = value >>> 8
    return this
  }

  u32(value: number): this {
    if (value !== value >>> 0) throw outOfRange('u32')
    this.#word(value)
    return this
  }

  /** Integer in [0, 2^53), as 8 bytes. */
  u53(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw outOfRange('u53')
    this.#word(value)
    this.#word(value / TWO_32)
    return this
  }

  /** Integer in (-2^53, 2^53), as 8 bytes of two's complement. */
  i53(value: number): this {
    if (!Number.isSafeInteger(value)) throw outOfRange('i53')
    this.#word(value)
    this.#word(Math.floor(value / TWO_32))
    return this
  }

  /** Integer in [0, 2^53) in 1 to 8 bytes: seven bits each, least significant first, the high bit says that more follow. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw outOfRange('varint')
    this.reserve(8)
    const bytes = this.#bytes
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.#length++] = rest
    return this
  }

  bytes(value: Uint8Array): this {
    this.reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** The characters' codes, one byte each; a code above 255 is refused. No length is written. */
  latin1(text: string): this {
    const length = text.length
    this.reserve(length)
    const bytes = this.#bytes
    const start = this.#length
    let all = 0
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      all |= code
      bytes[start + i] = code
    }
    if (all > 0xff) throw outOfRange('latin1')
    this.#length = start + length
    return this
  }

  /** A text's length in bytes (varint), then its UTF-8. Nearly all are short and ASCII: those cost no memory of their own. */
  text(text: string): this {
    const { length } = text
    if (length < 0x80) {
      this.reserve(length + 1)
      const bytes = this.#bytes
      const start = this.#length + 1
      let all = 0
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i)
        all |= code
        bytes[start + i] = code
      }
      if (all < 0x80) {
        bytes[start - 1] = length
        this.#length = start + length
        return this
      }
    }
    const encoded = utf8.encode(text)
    return this.varint(encoded.length).bytes(encoded)
  }

  /** What was written, shared with the writer: valid until the next write or reset. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** What was written, as a copy of its own, or in the memory that `take` gives for so many bytes. */
  copy(take?: (length: number) => Uint8Array): Uint8Array {
    if (take === undefined) return this.#bytes.slice(0, this.#length)
    const target = take(this.#length)
    target.set(this.view())
    return target
  }

  /** Low 32 bits of an integer of either sign (the typed array and `>>>` take them modulo 2^32). */
  #word(value: number): void {
    this.reserve(4)
    const bytes = this.#bytes
    const word = value >>> 0
    bytes[this.#length++] = word
    bytes[this.#length++] = word >>> 8
    bytes[this.#length++] = word >>> 16
    bytes[this.#length++] = word >>> 24
  }
}

function outOfRange(type: string): AteError {
  return new AteError('BAD_ARGUMENT', `A value does not fit in ${type}.`)
}
