/**
 * Bytes of the file `keyring`:
 *
 *     magic "atefskr\n" 8 | version 2 | body length 4 | body (MessagePack) | MAC 32 | CRC-32 4
 *
 * The MAC (HMAC-SHA-256 under the chain's keyring key) covers all before it and can only be checked once a slot has
 * opened. The CRC covers all before it, in this and in every later version: it tells a damaged file from a wrong
 * passphrase and from a newer version, and defends against nothing.
 */
import { ByteWriter } from '../bytes/byte-writer.js'
import { fromLatin1 } from '../bytes/latin1.js'
import { decodeMessagePack, encodeMessagePack } from '../codec/message-pack.js'
import { bytesOf, fields, integer, listOf, text } from '../codec/shape.js'
import { ARGON2_SALT_BYTES, argon2Work, checkArgon2Cost, type Argon2Cost } from '../crypto/argon2.js'
import { CHAIN_ID_BYTES, deriveFromRoot, KEY_ID_BYTES, ROOT_KEY_BYTES } from '../crypto/chain-keys.js'
import { crc32 } from '../crypto/crc32.js'
import { LABELS } from '../crypto/labels.js'
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, type CryptoProvider } from '../crypto/provider.js'
import { parseAeadSuite, type AeadSuite } from '../crypto/suites.js'
import { wipe } from '../crypto/wipe.js'
import { AteError, errorCode } from '../error.js'
import { MAX_KEYRING_BYTES } from '../limits.js'
import { CRC_BYTES, readFileHead } from './file-head.js'

const MAGIC = fromLatin1('atefskr\n')
const VERSION = 1
const MAC_BYTES = 32
const HEAD_BYTES = MAGIC.length + 2 + 4

export const SLOT_ID_BYTES = 8
export const MAX_SLOTS = 64
export const MAX_SLOT_LABEL_CHARACTERS = 200
/** Of all slots together (argon2Work): what a hostile file can make an opener spend, about 20 s. */
const MAX_TOTAL_WORK_KIB = 12 * 1024 * 1024

export interface KeySlot {
  readonly id: Uint8Array
  readonly label: string
  /** Milliseconds since 1970. */
  readonly createdMs: number
  readonly cost: Argon2Cost
  readonly salt: Uint8Array
  /** Commitment to the key that wraps: a wrong passphrase is known before anything is opened. */
  readonly wrapId: Uint8Array
  readonly nonce: Uint8Array
  /** The root key, sealed. */
  readonly wrapped: Uint8Array
}

export interface Keyring {
  readonly chainId: Uint8Array
  readonly suite: AeadSuite
  /** Grows by one with every change. */
  readonly generation: number
  readonly slots: readonly KeySlot[]
}

const costShape = fields<Argon2Cost>({
  memoryKiB: integer(1, 2 ** 32 - 1),
  passes: integer(1, 2 ** 32 - 1),
  lanes: integer(1, 2 ** 24 - 1),
})

const slotShape = fields<KeySlot>({
  id: bytesOf(SLOT_ID_BYTES),
  label: text(MAX_SLOT_LABEL_CHARACTERS),
  createdMs: integer(0, Number.MAX_SAFE_INTEGER),
  cost: costShape,
  salt: bytesOf(ARGON2_SALT_BYTES),
  wrapId: bytesOf(KEY_ID_BYTES),
  nonce: bytesOf(GCM_NONCE_BYTES),
  wrapped: bytesOf(ROOT_KEY_BYTES + GCM_TAG_BYTES),
})

const keyringShape = fields<Keyring>({
  chainId: bytesOf(CHAIN_ID_BYTES),
  suite: (value, where) => parseAeadSuite(integer(0, 0xffff)(value, where)),
  generation: integer(1, Number.MAX_SAFE_INTEGER - 1),
  slots: listOf(slotShape, MAX_SLOTS),
})

/** The whole file; the root key authenticates it. */
export function encodeKeyring(crypto: CryptoProvider, keyring: Keyring, rootKey: Uint8Array): Uint8Array {
  const body = encodeMessagePack({
    chainId: keyring.chainId,
    suite: keyring.suite,
    generation: keyring.generation,
    slots: keyring.slots.map((slot) => ({ ...slot, cost: { ...slot.cost } })),
  })
  const writer = new ByteWriter(HEAD_BYTES + body.length + MAC_BYTES + CRC_BYTES)
  writer.bytes(MAGIC).u16(VERSION).u32(body.length).bytes(body)
  writer.bytes(keyringMac(crypto, keyring.chainId, rootKey, writer.view()))
  return writer.u32(crc32(writer.view())).copy()
}

/**
 * Parses a file without believing it: nothing is authenticated until `verifyKeyring`. KEYRING_DAMAGED, or
 * UNSUPPORTED_FORMAT for a newer version or an unknown suite.
 */
export function decodeKeyring(file: Uint8Array): Keyring {
  try {
    const keyring = parse(file)
    let work = 0
    for (const slot of keyring.slots) {
      checkArgon2Cost(slot.cost)
      work += argon2Work(slot.cost)
    }
    if (work > MAX_TOTAL_WORK_KIB) throw new AteError('BAD_FORMAT', `opening would cost ${work} KiB of Argon2id`)
    if (keyring.slots.length === 0) throw new AteError('BAD_FORMAT', 'there is no slot')
    return keyring
  } catch (cause) {
    if (errorCode(cause) !== 'BAD_FORMAT') throw cause
    throw damaged('The keyring is damaged', cause)
  }
}

/** Throws KEYRING_DAMAGED unless the root key authenticates the file. */
export function verifyKeyring(
  crypto: CryptoProvider,
  file: Uint8Array,
  chainId: Uint8Array,
  rootKey: Uint8Array,
): void {
  const key = deriveFromRoot(crypto, rootKey, chainId, LABELS.keyringKey, 32)
  const isTrue = isKeyringOf(crypto, file, key)
  wipe(key)
  if (!isTrue) throw damaged('The keyring was changed by somebody without its key')
}

/** Whether the chain's `keyringKey` authenticates the file. */
export function isKeyringOf(crypto: CryptoProvider, file: Uint8Array, keyringKey: Uint8Array): boolean {
  const macAt = Math.max(0, file.length - CRC_BYTES - MAC_BYTES)
  const expected = crypto.hmacSha256(keyringKey, LABELS.keyring, file.subarray(0, macAt))
  const found = file.subarray(macAt, macAt + MAC_BYTES)
  return found.length === MAC_BYTES && crypto.equal(expected, found)
}

function parse(file: Uint8Array): Keyring {
  if (file.length > MAX_KEYRING_BYTES) throw new AteError('BAD_FORMAT', `${file.length} bytes are too many`)
  const reader = readFileHead(file, 'keyring', MAGIC, VERSION)
  const body = reader.bytes(reader.u32('body length'), 'body')
  reader.bytes(MAC_BYTES + CRC_BYTES, 'MAC')
  reader.done()
  return decodeMessagePack(body, MAX_KEYRING_BYTES, keyringShape, 'keyring')
}

function keyringMac(crypto: CryptoProvider, chainId: Uint8Array, rootKey: Uint8Array, content: Uint8Array): Uint8Array {
  const key = deriveFromRoot(crypto, rootKey, chainId, LABELS.keyringKey, 32)
  const mac = crypto.hmacSha256(key, LABELS.keyring, content)
  wipe(key)
  return mac
}

function damaged(message: string, cause?: unknown): AteError {
  const detail = cause instanceof Error ? `: ${cause.message}` : '.'
  return new AteError('KEYRING_DAMAGED', message + detail, {
    hint: 'Put back a copy of the file keyring.',
    cause,
  })
}
