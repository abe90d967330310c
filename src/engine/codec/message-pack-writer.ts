/**
 * Writes MessagePack piece by piece, in its shortest forms: integers of up to 32 bits, all other numbers as 64-bit floats. An
 * array or a map is followed by as many values, or names and values, as it was said to have. One writer is kept and `reset`
 * between uses.
 */
import { isUnicode } from '../bytes/unicode.js'
import { AteError } from '../error.js'

const utf8 = new TextEncoder()
const MAX_BYTES = 2 ** 31

export class MessagePackWriter {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  /** Bytes of its memory. */
  get capacity(): number {
    return this.#bytes.length
  }

  /** Forgets what was written and keeps the memory. */
  reset(): this {
    this.#at = 0
    return this
  }

  nil(): void {
    this.#byte(0xc0)
  }

  boolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2)
  }

  number(value: number): void {
    if (value >>> 0 === value) this.#unsigned(value)
    else if (value >> 0 === value) this.#negative(value)
    else {
      const at = this.#begin(0xcb, 8)
      this.#view.setFloat64(at, value)
    }
  }

  /** False: the text is not Unicode (half a surrogate pair), and nothing was written. */
  text(text: string): boolean {
    const { length } = text
    if (length < 0x20 && this.#ascii(text)) return true
    const encoded = utf8.encode(text)
    if (encoded.length > length && !isUnicode(text)) return false
    if (encoded.length < 0x20) this.#byte(0xa0 | encoded.length)
    else this.#header(encoded.length, 0xd9, 0xda, 0xdb)
    this.#set(encoded)
    return true
  }

  binary(bytes: Uint8Array): void {
    this.#header(bytes.length, 0xc4, 0xc5, 0xc6)
    this.#set(bytes)
  }

  array(count: number): void {
    if (count < 0x10) this.#byte(0x90 | count)
    else this.#header(count, undefined, 0xdc, 0xdd)
  }

  map(count: number): void {
    if (count < 0x10) this.#byte(0x80 | count)
    else this.#header(count, undefined, 0xde, 0xdf)
  }

  /** What was written: it lasts until the next `reset`. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** What was written, in the memory that `take` gives for so many bytes. */
  copy(take: (length: number) => Uint8Array): Uint8Array {
    const target = take(this.#at)
    target.set(this.#bytes.subarray(0, this.#at))
    return target
  }

  #unsigned(value: number): void {
    if (value < 0x80) this.#byte(value)
    else this.#header(value, 0xcc, 0xcd, 0xce)
  }

  #negative(value: number): void {
    if (value >= -0x20) this.#byte(value)
    else if (value >= -0x80) {
      const at = this.#begin(0xd0, 1)
      this.#view.setInt8(at, value)
    } else if (value >= -0x8000) {
      const at = this.#begin(0xd1, 2)
      this.#view.setInt16(at, value)
    } else {
      const at = this.#begin(0xd2, 4)
      this.#view.setInt32(at, value)
    }
  }

  /** A short text of ASCII; false where it is not, and then nothing was written. */
  #ascii(text: string): boolean {
    const { length } = text
    this.#reserve(length + 1)
    const bytes = this.#bytes
    const start = this.#at + 1
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      bytes[start + i] = code
    }
    bytes[start - 1] = 0xa0 | length
    this.#at = start + length
    return true
  }

  /** A type with a value of 8, 16 or 32 bits behind it: the shortest that there is. */
  #header(value: number, of8: number | undefined, of16: number, of32: number): void {
    if (of8 !== undefined && value < 0x100) {
      const at = this.#begin(of8, 1)
      this.#view.setUint8(at, value)
    } else if (value < 0x1_0000) {
      const at = this.#begin(of16, 2)
      this.#view.setUint16(at, value)
    } else {
      const at = this.#begin(of32, 4)
      this.#view.setUint32(at, value)
    }
  }

  /** A type, and where its `count` bytes go. The memory may be another one after it. */
  #begin(type: number, count: number): number {
    this.#byte(type)
    return this.#advance(count)
  }

  #byte(value: number): void {
    const at = this.#advance(1)
    this.#bytes[at] = value
  }

  #set(bytes: Uint8Array): void {
    const at = this.#advance(bytes.length)
    this.#bytes.set(bytes, at)
  }

  #advance(count: number): number {
    this.#reserve(count)
    const at = this.#at
    this.#at += count
    return at
  }

  #reserve(count: number): void {
    const needed = this.#at + count
    if (needed <= this.#bytes.length) return
    if (needed > MAX_BYTES) throw new AteError('BAD_ARGUMENT', 'a message of more than 2 GiB')
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
