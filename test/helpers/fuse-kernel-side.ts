/** The kernel's end of a session: requests from hexadecimal arguments, replies as hexadecimal text. */
import { Exchange } from '../../src/fs/drivers/direct/exchange.js'
import { Session, type SessionOptions } from '../../src/fs/drivers/direct/session.js'
import type { FileSystem } from '../../src/fs/vfs/types.js'
import { MemoryFileSystem } from './memory-file-system.js'

/** 2023-11-14T22:13:20.123Z: 0x6553f100 s, 123,000,000 ns. */
export const NOW_MS = 1_700_000_000_123

export const DEFAULTS: SessionOptions = { readOnly: false, shown: {}, onWarning: failOnWarning }

function failOnWarning(message: string): never {
  throw new Error(`warning: ${message}`)
}

export interface From {
  uid?: number
  gid?: number
  pid?: number
}

export class KernelSide<F extends FileSystem = MemoryFileSystem> {
  readonly session: Session
  /** Replies in the order of their arrival: unique, errno, and the rest in hexadecimal. */
  readonly replies: { unique: number; error: number; body: string }[] = []
  /** What the kernel says to a reply: 0, or a negative errno. */
  verdict = 0
  #unique = 0

  constructor(
    readonly files: F,
    options: Partial<SessionOptions> = {},
  ) {
    this.session = new Session(files, { ...DEFAULTS, ...options }, (bytes, length) => {
      const reply = Buffer.from(bytes.subarray(0, length))
      if (reply.readUInt32LE(0) !== length) throw new Error('a reply says that it has another length')
      const unique = Number(reply.readBigUInt64LE(8))
      this.replies.push({ unique, error: reply.readInt32LE(4), body: reply.toString('hex', 16) })
      return this.verdict < 0 ? this.verdict : length
    })
  }

  /** Sends a request; what is there at once of its reply. */
  send(opcode: number, nodeId: number, args: string | Uint8Array, from: From = {}) {
    const unique = (this.#unique += 2)
    const x = new Exchange(64 * 1024)
    const length = request(x.bytes, opcode, nodeId, args, unique, from)
    const later = this.session.serve(x, length)
    return { unique, later, exchange: x }
  }

  /** The reply's body in hexadecimal, or the errno as a negative number; undefined when there is none at once. */
  ask(opcode: number, nodeId: number, args: string | Uint8Array, from: From = {}): string | number | undefined {
    const { unique } = this.send(opcode, nodeId, args, from)
    const reply = this.replies.find((one) => one.unique === unique)
    return reply === undefined || reply.error === 0 ? reply?.body : reply.error
  }

  /** As `ask`, for an answer that comes later. */
  async askLater(opcode: number, nodeId: number, args: string | Uint8Array, from: From = {}) {
    const { unique, later } = this.send(opcode, nodeId, args, from)
    await later
    const reply = this.replies.find((one) => one.unique === unique)
    return reply === undefined || reply.error === 0 ? reply?.body : reply.error
  }
}

/** A session on an empty file system in memory whose clock stands still. */
export function kernelSide(options: Partial<SessionOptions> = {}): KernelSide {
  const files = new MemoryFileSystem(() => NOW_MS)
  const root = files.nodes.get(1)
  if (root !== undefined) root.uid = root.gid = 0
  return new KernelSide(files, options)
}

/** Writes a request into `target`; its length. */
export function request(
  target: Uint8Array,
  opcode: number,
  nodeId: number,
  args: string | Uint8Array,
  unique: number,
  from: From = {},
): number {
  const body = typeof args === 'string' ? bytesOf(args) : args
  const header = Buffer.alloc(40)
  header.writeUInt32LE(40 + body.length, 0)
  header.writeUInt32LE(opcode, 4)
  header.writeBigUInt64LE(BigInt(unique), 8)
  header.writeBigUInt64LE(BigInt(nodeId), 16)
  header.writeUInt32LE(from.uid ?? 0, 24)
  header.writeUInt32LE(from.gid ?? 0, 28)
  header.writeUInt32LE(from.pid ?? 0, 32)
  target.set(header, 0)
  target.set(body, 40)
  return 40 + body.length
}

/** Hexadecimal digits, spaces ignored, and 'text' in quotes for latin1 text. */
export function bytesOf(text: string): Buffer {
  const pieces = [...text.matchAll(/'([^']*)'|([0-9a-f]+)|\S/g)]
  return Buffer.concat(
    pieces.map(([whole, quoted, hex]) => {
      if (quoted !== undefined) return Buffer.from(quoted, 'latin1')
      if (hex === undefined || hex.length % 2 !== 0) throw new Error(`not hexadecimal: ${whole}`)
      return Buffer.from(hex, 'hex')
    }),
  )
}

/** Little-endian hexadecimal of 8 and 4 bytes. */
export function u64(value: number | bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)))
  return bytes.toString('hex')
}

export function u32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes.toString('hex')
}

/** A fuse_attr as the tests' clock makes it. */
export function attr(fields: {
  ino: number
  mode: number
  nlink?: number
  size?: number
  uid?: number
  gid?: number
  rdev?: number
}): string {
  const { ino, mode, nlink = 1, size = 0, uid = 0, gid = 0, rdev = 0 } = fields
  const seconds = u64(1_700_000_000).repeat(3)
  const nanoseconds = u32(123_000_000).repeat(3)
  const blocks = u64(Math.ceil(size / 4096) * 8)
  const numbers = u32(mode) + u32(nlink) + u32(uid) + u32(gid) + u32(rdev) + u32(65536) + u32(0)
  return u64(ino) + u64(size) + blocks + seconds + nanoseconds + numbers
}

/** A fuse_entry_out valid for `seconds`. */
export function entry(fields: Parameters<typeof attr>[0], seconds = 3600): string {
  return u64(fields.ino) + u64(0) + u64(seconds) + u64(seconds) + u64(0) + attr(fields)
}
