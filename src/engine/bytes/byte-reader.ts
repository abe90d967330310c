/**
 * Little-endian reader of untrusted bytes. Every read is checked against the end and throws BAD_FORMAT naming the
 * field and its offset, so that parsers are straight lines. Nothing is copied but by `copy`: `bytes` returns views.
 */
import { copyOf } from './copy.js'
import { AteError } from '../error.js'
import { toLatin1 } from './latin1.js'

const TWO_32 = 0x1_0000_0000
const TWO_21 = 0x20_0000

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #offset: number

  /** `what` names the whole in errors ("manifest"). */
  constructor(bytes: Uint8Array, what: string, offset = 0) {
    this.#bytes = bytes
    this.#what = what
    this.#offset = offset
  }

  /** Offset of the next read. */
  get offset(): number {
    return this.#offset
  }

  /** Bytes left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(field: string): number {
    const at = this.#take(1, field)
    return byteAt(this.#bytes, at)
  }

  u16(field: string): number {
    const at = this.#take(2, field)
    return byteAt(this.#bytes, at) | (byteAt(this.#bytes, at + 1) << 8)
  }

  u32(field: string): number {
    return word(this.#bytes, this.#take(4, field))
  }

  /** 8 bytes holding an integer in [0, 2^53). */
  u53(field: string): number {
    const at = this.#take(8, field)
    const high = word(this.#bytes, at + 4)
    if (high >= TWO_21) throw this.bad(field, 'is 2^53 or more', at)
    return high * TWO_32 + word(this.#bytes, at)
  }

  /** 8 bytes of two's complement holding an integer in (-2^53, 2^53). */
  i53(field: string): number {
    const at = this.#take(8, field)
    const value = (word(this.#bytes, at + 4) | 0) * TWO_32 + word(this.#bytes, at)
    if (!Number.isSafeInteger(value)) throw this.bad(field, 'is beyond 2^53', at)
    return value
  }

  /** 1 to 8 bytes holding an integer in [0, 2^53), seven bits each; only the shortest spelling is taken. */
  varint(field: string): number {
    const start = this.#offset
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = byteAt(this.#bytes, this.#take(1, field))
      value += (byte & 0x7f) * scale
      if (value > Number.MAX_SAFE_INTEGER) throw this.bad(field, 'is 2^53 or more', start)
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw this.bad(field, 'has a needless byte', start)
        return value
      }
      if (this.#offset - start === 8) throw this.bad(field, 'is too long', start)
    }
  }

  /** The next `length` bytes in memory of their own, to be kept. */
  copy(length: number, field: string): Uint8Array {
    return copyOf(this.bytes(length, field))
  }

  /** A view of the next `length` bytes. */
  bytes(length: number, field: string): Uint8Array {
    const at = this.#take(length, field)
    return this.#bytes.subarray(at, at + length)
  }

  /** The next `length` bytes as a string of one character each. */
  latin1(length: number, field: string): string {
    return toLatin1(this.bytes(length, field))
  }

  /** Demands that nothing is left. */
  done(): void {
    if (this.remaining !== 0) throw new AteError('BAD_FORMAT', `${this.#what}: ${this.remaining} bytes too many`)
  }

  /** The error for a field whose value is wrong; for the caller to throw. */
  bad(field: string, why: string, offset = this.#offset): AteError {
    return new AteError('BAD_FORMAT', `${this.#what}: ${field} at offset ${offset} ${why}`)
  }

  #take(length: number, field: string): number {
    const at = this.#offset
    // `length` may come from the bytes themselves; the comparison is false for NaN and negatives alike.
    if (!(length >= 0 && length <= this.#bytes.length - at)) throw this.bad(field, 'is cut off', at)
    this.#offset = at + length
    return at
  }
}

/** Only called inside checked bounds; the fallback satisfies the type and costs nothing. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

function word(bytes: Uint8Array, at: number): number {
  const low = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8)
  return (low | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)) >>> 0
}
