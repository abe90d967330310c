/** The first packet: what the client accepts. */
import { ByteReader } from '../engine/bytes/byte-reader.js'
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { fromLatin1 } from '../engine/bytes/latin1.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { AteError } from '../engine/error.js'
import { MAX_CLIENT_HELLO_BYTES, MAX_OFFERS, MAX_TARGET_BYTES } from './limits.js'
import type { Offers, Versions } from './offers.js'
import { PACKET } from './packet-types.js'
import { encodeText, readText } from './utf8.js'

const MAGIC = fromLatin1('ATEFSNET')
export const RANDOM_BYTES = 32

export interface ClientHello {
  versions: Versions
  /** 32 bytes. */
  random: Uint8Array
  offers: Offers
  /** What the client believes to have dialled: `host:port/path`. */
  target: string
}

/** BAD_ARGUMENT for a target that is empty or too long. */
export function encodeClientHello({ versions, random, offers, target }: ClientHello): Uint8Array {
  const name = encodeText(target)
  if (name.length < 1 || name.length > MAX_TARGET_BYTES)
    throw new AteError('BAD_ARGUMENT', `A target has 1 to ${MAX_TARGET_BYTES} bytes, not ${name.length}.`)
  const writer = new ByteWriter().u8(PACKET.CLIENT_HELLO).bytes(MAGIC)
  writer.u16(versions.lowest).u16(versions.highest).bytes(random)
  for (const list of [offers.ciphers, offers.formats, offers.compressions]) {
    writer.u8(list.length)
    for (const each of list) writer.u8(each)
  }
  return writer.u16(name.length).bytes(name).copy()
}

/** BAD_FORMAT for anything else; MESSAGE_TOO_LARGE. What follows the fields is a later version's. */
export function decodeClientHello(packet: Uint8Array): ClientHello {
  if (packet.length > MAX_CLIENT_HELLO_BYTES)
    throw new AteError('MESSAGE_TOO_LARGE', `A client hello of ${packet.length} bytes is too large.`)
  const reader = new ByteReader(packet, 'client hello')
  if (reader.u8('type') !== PACKET.CLIENT_HELLO || !equalBytes(reader.bytes(MAGIC.length, 'magic'), MAGIC))
    throw new AteError('BAD_FORMAT', 'This is no client hello of atefs.')
  const versions = { lowest: reader.u16('lowest version'), highest: reader.u16('highest version') }
  if (versions.lowest < 1 || versions.lowest > versions.highest) throw reader.bad('versions', 'are no range')
  const random = reader.copy(RANDOM_BYTES, 'random')
  const offers = {
    ciphers: readOffers(reader, 'ciphers'),
    formats: readOffers(reader, 'formats'),
    compressions: readOffers(reader, 'compressions'),
  }
  return { versions, random, offers, target: readText(reader, 1, MAX_TARGET_BYTES, 'target') }
}

function readOffers(reader: ByteReader, field: string): number[] {
  const count = reader.u8(field)
  if (count < 1 || count > MAX_OFFERS) throw reader.bad(field, `are ${count}, not 1 to ${MAX_OFFERS}`)
  return [...reader.bytes(count, field)]
}
