/**
 * One request and its reply, in one buffer: the reply is built over the request. `unique`, which names the request, lies
 * at byte 8 of both headers and is never touched, so every argument is read before a reply is begun.
 * An exchange belongs to its request until that is answered; a request that must wait keeps it, and the reader takes
 * another.
 *
 *     fuse_in_header                 fuse_out_header
 *      0 u32 len                      0 u32 len
 *      4 u32 opcode                   4 i32 error
 *      8 u64 unique                   8 u64 unique
 *     16 u64 nodeid                  16 the reply
 *     24 u32 uid
 *     28 u32 gid
 *     32 u32 pid
 *     36 u16 total_extlen, u16 padding
 *     40 the arguments
 */
import { AteError } from '../../../engine/error.js'
import type { Caller, Name } from '../../vfs/types.js'
import { EXCHANGE_BYTES, IN_HEADER_BYTES, OUT_HEADER_BYTES } from './protocol.js'

const TWO_32 = 0x1_0000_0000
const MAX_NAME_BYTES = 255
const SLASH = 0x2f

export class Exchange {
  readonly bytes: Buffer
  readonly #view: DataView
  /** Bytes of the request. */
  length = 0
  opcode = 0
  nodeId = 0
  readonly caller: Caller = { uid: 0, gid: 0, pid: 0 }
  /** Answered before its operation ended (interrupted): what the operation gives is dropped. */
  abandoned = false
  /** Nothing of it is done yet: it may be abandoned even if it is a change. */
  isWaiting = false
  /** Ends the operation; it then gives its answer itself. */
  onInterrupt: (() => void) | undefined

  constructor(size = EXCHANGE_BYTES) {
    // Own memory, not a slice of a pool: pages that no request reaches are never touched.
    this.bytes = Buffer.from(new ArrayBuffer(size))
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Reads the header of the request of `length` bytes now in the buffer. False when it is no request at all. */
  begin(length: number): boolean {
    this.length = length
    if (length < IN_HEADER_BYTES || this.#view.getUint32(0, true) !== length) return false
    this.opcode = this.#view.getUint32(4, true)
    this.nodeId = this.u64(16)
    this.caller.uid = this.#view.getUint32(24, true)
    this.caller.gid = this.#view.getUint32(28, true)
    this.caller.pid = this.#view.getUint32(32, true)
    this.abandoned = this.isWaiting = false
    this.onInterrupt = undefined
    return true
  }

  /** Of the request now in the buffer. The kernel counts up from 2: below 2^53 for longer than machines live. */
  get unique(): number {
    return this.u64(8)
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  /** Inexact above 2^53: check with `position` what may be that large. */
  u64(offset: number): number {
    return this.#view.getUint32(offset + 4, true) * TWO_32 + this.#view.getUint32(offset, true)
  }

  i64(offset: number): number {
    return this.#view.getInt32(offset + 4, true) * TWO_32 + this.#view.getUint32(offset, true)
  }

  /** A file offset or length. FILE_TOO_LARGE beyond 2^53 - 1, far above the greatest file. */
  position(offset: number): number {
    const value = this.u64(offset)
    if (value > Number.MAX_SAFE_INTEGER) throw new AteError('FILE_TOO_LARGE', 'the position lies beyond 2^53 bytes')
    return value
  }

  /** The name that fills the request from `start` to its end, NUL-terminated. */
  name(start: number): Name {
    return this.nameBetween(start, this.length - 1)
  }

  /** The name in [start, end); the NUL after it is at `end`. */
  nameBetween(start: number, end: number): Name {
    const length = end - start
    if (length < 1 || this.bytes[end] !== 0) throw malformed('a name without end')
    if (length > MAX_NAME_BYTES)
      throw new AteError('NAME_TOO_LONG', `a name has ${length} bytes, ${MAX_NAME_BYTES} at most`)
    for (let i = start; i < end; i++) {
      const byte = this.bytes[i]
      if (byte === 0 || byte === SLASH) throw malformed('a name with a NUL or a slash')
    }
    return this.bytes.toString('latin1', start, end) as Name
  }

  /** Where the NUL of the string at `start` is. */
  endOfString(start: number): number {
    const end = this.bytes.indexOf(0, start)
    if (end < 0 || end >= this.length) throw malformed('a string without end')
    return end
  }

  setU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true)
  }

  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true)
  }

  /** Any integer within 2^53 of zero, negative ones as two's complement. */
  setU64(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true)
    this.#view.setInt32(offset + 4, Math.floor(value / TWO_32), true)
  }

  clear(start: number, end: number): void {
    this.bytes.fill(0, start, end)
  }

  /** Makes the buffer a whole reply: `length` bytes, or an error (negative errno) and nothing else. Its bytes to write. */
  finish(result: number): number {
    const length = result < 0 ? OUT_HEADER_BYTES : result
    this.#view.setUint32(0, length, true)
    this.#view.setInt32(4, result < 0 ? result : 0, true)
    return length
  }
}

export function malformed(what: string): AteError {
  return new AteError('INVALID', `the kernel sent ${what}`)
}
