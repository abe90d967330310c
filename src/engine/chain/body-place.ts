/** The record that says where a body lies. Kind 1: the engine's own; users of the record view start at kind 16. */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import type { GroupPlace } from '../log/types.js'

export const BODY_PLACE_KIND = 1
const FORMAT = 1
const PLACE_BYTES = 25
const DIGEST_BYTES = 32

/** Where a body came to lie. */
export interface BodyPlace {
  body: number
  /** Tells the body from one of the same number that a copy of the chain made; 0: it did not come with its batch. */
  random: number
  segment: number
  position: number
  storedBytes: number
}

/** Where the bodies are had from that did not come with their batches. */
export interface BodiesElsewhere {
  /** The group as it is stored, when it has been fetched already. */
  here(body: number): Uint8Array | undefined
  /** Fetches it, and is sure that it is what its batch says. BODY_AWAY, BODY_GONE, BODY_DAMAGED, CHAIN_CLOSED. */
  fetch(place: BodyPlace): Promise<Uint8Array>
}

/** Neighbours: 256 bodies made one after another. */
export function bodyPlaceHigh(body: number): number {
  return Math.floor(body / 256)
}

export function encodeBodyPlace(place: GroupPlace): Uint8Array {
  const writer = new ByteWriter(64)
  writer.u8(FORMAT).u53(place.random).u32(place.segment).u53(place.position).u32(place.storedBytes).bytes(place.digest)
  return writer.copy()
}

/** Throws BAD_FORMAT. */
export function decodeBodyPlace(body: number, bytes: Uint8Array): BodyPlace & { digest: Uint8Array } {
  return { ...decodePlaceOnly(body, bytes), digest: bytes.subarray(PLACE_BYTES) }
}

/** As `decodeBodyPlace`, for who only wants to read the body. */
export function decodePlaceOnly(body: number, bytes: Uint8Array): BodyPlace {
  const reader = new ByteReader(bytes, 'body place')
  const format = reader.u8('format')
  if (format !== FORMAT) throw reader.bad('format', `${format} is unknown`)
  const random = reader.u53('random')
  const segment = reader.u32('segment')
  const position = reader.u53('position')
  const storedBytes = reader.u32('stored bytes')
  if (reader.remaining !== DIGEST_BYTES) throw reader.bad('digest', `has ${reader.remaining} bytes`)
  return { body, random, segment, position, storedBytes }
}
