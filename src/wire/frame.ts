/** Frames of one direction: numbered, and sealed unless the connection is in clear (then there is no key). */
import { ByteReader } from '../engine/bytes/byte-reader.js'
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { byteLength } from '../engine/bytes/concat.js'
import { type CryptoProvider, GCM_TAG_BYTES } from '../engine/crypto/provider.js'
import { AteError } from '../engine/error.js'
import { MAX_PAYLOAD_BYTES } from './limits.js'
import { frameTypeOf, otherRole, type Role } from './packet-types.js'
import { packetMemory } from './packet-memory.js'
import type { TrafficKey } from './traffic-key.js'

export const FRAME_HEADER_BYTES = 9
/** The largest packet there is. */
export const MAX_PACKET_BYTES = FRAME_HEADER_BYTES + MAX_PAYLOAD_BYTES + GCM_TAG_BYTES

export class FrameWriter {
  readonly #crypto: CryptoProvider
  readonly #type: number
  readonly #key: TrafficKey | undefined
  #number = 0

  constructor(crypto: CryptoProvider, sender: Role, key: TrafficKey | undefined) {
    this.#crypto = crypto
    this.#type = frameTypeOf(sender)
    this.#key = key
  }

  /** The next packet, with the payload that the pieces are together: at most MAX_PAYLOAD_BYTES. Its memory may be given back when it is sent. */
  write(...pieces: readonly Uint8Array[]): Uint8Array {
    const length = byteLength(pieces)
    if (length > MAX_PAYLOAD_BYTES) throw new AteError('MESSAGE_TOO_LARGE', `A frame of ${length} bytes is too large.`)
    const header = new ByteWriter(FRAME_HEADER_BYTES).u8(this.#type).u53(this.#number).copy()
    const packet = packetMemory.take(header.length + length + (this.#key === undefined ? 0 : GCM_TAG_BYTES))
    packet.set(header)
    if (this.#key === undefined) {
      let at = header.length
      for (const piece of pieces) {
        packet.set(piece, at)
        at += piece.length
      }
    } else {
      this.#crypto.seal(this.#key.key, this.#key.nonce(this.#number), header, pieces, packet, header.length)
      this.#key.count(length)
    }
    this.#number++
    return packet
  }

  wipe(): void {
    this.#key?.wipe()
  }
}

export class FrameReader {
  readonly #crypto: CryptoProvider
  readonly #type: number
  readonly #ownType: number
  readonly #key: TrafficKey | undefined
  #number = 0

  constructor(crypto: CryptoProvider, sender: Role, key: TrafficKey | undefined) {
    this.#crypto = crypto
    this.#type = frameTypeOf(sender)
    this.#ownType = frameTypeOf(otherRole(sender))
    this.#key = key
  }

  /** The payload of the next packet. FRAME_REPLAYED, FRAME_MISSING, FRAME_FORGED, MESSAGE_TOO_LARGE, BAD_FORMAT. */
  read(packet: Uint8Array): Uint8Array {
    const reader = new ByteReader(packet, 'frame')
    const type = reader.u8('type')
    if (type === this.#ownType) throw new AteError('FRAME_FORGED', 'A frame of our own came back.')
    if (type !== this.#type) throw reader.bad('type', `is ${type}`, 0)
    this.#checkNumber(reader.u53('number'))
    const payload = this.#open(packet)
    this.#key?.count(payload.length)
    this.#number++
    return payload
  }

  wipe(): void {
    this.#key?.wipe()
  }

  #checkNumber(number: number): void {
    if (number < this.#number) throw new AteError('FRAME_REPLAYED', `Frame ${number} came again.`)
    if (number > this.#number)
      throw new AteError('FRAME_MISSING', `Frame ${number} came, and frame ${this.#number} did not.`)
  }

  #open(packet: Uint8Array): Uint8Array {
    const body = packet.subarray(FRAME_HEADER_BYTES)
    if (body.length > MAX_PAYLOAD_BYTES + (this.#key === undefined ? 0 : GCM_TAG_BYTES))
      throw new AteError('MESSAGE_TOO_LARGE', `A frame of ${body.length} bytes is too large.`)
    if (this.#key === undefined) return body
    const header = packet.subarray(0, FRAME_HEADER_BYTES)
    // In its own place: the packet is ours, and nobody else looks at it.
    const place = body.subarray(0, Math.max(body.length - GCM_TAG_BYTES, 0))
    const payload = this.#crypto.open(this.#key.key, this.#key.nonce(this.#number), header, body, place)
    if (payload !== undefined) return payload
    throw new AteError('FRAME_FORGED', `Frame ${this.#number} is not what the other side sealed.`)
  }
}
