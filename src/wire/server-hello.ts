/** The second packet: what the server has chosen, and what proves it. */
import { ByteReader } from '../engine/bytes/byte-reader.js'
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { boxSizes } from '../engine/crypto/kem.js'
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_KEY_BYTES } from '../engine/crypto/signature.js'
import { parseAeadSuite } from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'
import { RANDOM_BYTES } from './client-hello.js'
import { MAX_SERVER_HELLO_BYTES } from './limits.js'
import { type Cipher, CIPHER_NONE, kemOf } from './offers.js'
import { PACKET } from './packet-types.js'

export interface Choices {
  version: number
  cipher: Cipher
  format: number
  compression: number
}

export interface ServerKeys {
  /** Of this connection only. */
  kemPublicKey: Uint8Array
  identity: Uint8Array
}

export interface ServerHello {
  choices: Choices
  random: Uint8Array
  /** Undefined without encryption, as the signature is. */
  keys: ServerKeys | undefined
  /** The packet up to the signature. */
  signed: Uint8Array
  signature: Uint8Array | undefined
}

/** The packet up to its signature, which follows it; without keys it is all there is. */
export function encodeServerHello(choices: Choices, random: Uint8Array, keys: ServerKeys | undefined): Uint8Array {
  const writer = new ByteWriter(4096).u8(PACKET.SERVER_HELLO).u16(choices.version).bytes(random)
  writer.u8(choices.cipher).u8(choices.format).u8(choices.compression)
  if (keys !== undefined) writer.bytes(keys.kemPublicKey).bytes(keys.identity)
  return writer.copy()
}

/** BAD_FORMAT for anything else; MESSAGE_TOO_LARGE; UNSUPPORTED_FORMAT for a cipher that nobody knows. */
export function decodeServerHello(packet: Uint8Array): ServerHello {
  if (packet.length > MAX_SERVER_HELLO_BYTES)
    throw new AteError('MESSAGE_TOO_LARGE', `A server hello of ${packet.length} bytes is too large.`)
  const reader = new ByteReader(packet, 'server hello')
  if (reader.u8('type') !== PACKET.SERVER_HELLO) throw new AteError('BAD_FORMAT', 'This is no server hello of atefs.')
  const version = reader.u16('version')
  const random = reader.copy(RANDOM_BYTES, 'random')
  const id = reader.u8('cipher')
  const choices = { version, format: reader.u8('format'), compression: reader.u8('compression') }
  if (id === CIPHER_NONE) {
    reader.done()
    return { choices: { ...choices, cipher: id }, random, keys: undefined, signed: packet, signature: undefined }
  }
  const cipher = parseAeadSuite(id)
  const keys = {
    kemPublicKey: reader.copy(boxSizes(kemOf(cipher)).publicKey, 'public key'),
    identity: reader.copy(SIGNATURE_PUBLIC_KEY_BYTES, 'identity key'),
  }
  const signed = packet.subarray(0, reader.offset)
  const signature = reader.bytes(SIGNATURE_BYTES, 'signature')
  reader.done()
  return { choices: { ...choices, cipher }, random, keys, signed, signature }
}
