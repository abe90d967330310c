/**
 * Header of a sealed group (`docs/format.md`, Group). A group is self-contained: header, ciphertext, tag. The whole header
 * is authenticated with the ciphertext, and nothing in it says where the group lies, so groups can be copied.
 */
import { GCM_NONCE_BYTES, GCM_TAG_BYTES } from '../../crypto/provider.js'
import { KEY_ID_BYTES, SESSION_SALT_BYTES } from '../../crypto/chain-keys.js'

const SEALED_BYTES_AT = 4
const NUMBER_AT = 8
const RANDOM_AT = 16
/** Random bytes that, with the number, name a group. */
export const GROUP_RANDOM_BYTES = 8
const KEY_ID_AT = RANDOM_AT + GROUP_RANDOM_BYTES
const SALT_AT = KEY_ID_AT + KEY_ID_BYTES
const NONCE_AT = SALT_AT + SESSION_SALT_BYTES
export const GROUP_HEADER_BYTES = NONCE_AT + GCM_NONCE_BYTES
/** What sealing adds to a group's content. */
export const GROUP_OVERHEAD_BYTES = GROUP_HEADER_BYTES + GCM_TAG_BYTES

/** Set when a reader that does not know the kind must refuse the chain rather than skip the group. */
export const GROUP_FLAG_CRITICAL = 1
const TWO_32 = 0x1_0000_0000

export interface GroupHeaderFields {
  kind: number
  flags: number
  sealedBytes: number
  number: number
  /** GROUP_RANDOM_BYTES. */
  random: Uint8Array
  keyId: Uint8Array
  salt: Uint8Array
  nonce: Uint8Array
}

export interface GroupHeader {
  kind: number
  flags: number
  /** Ciphertext and tag. */
  sealedBytes: number
  number: number
  /** Low 48 of the group's 64 random bits. */
  random: number
  keyId: Uint8Array
  salt: Uint8Array
  nonce: Uint8Array
}

/** Writes a header at the start of `target`. */
export function writeGroupHeader(target: Uint8Array, header: GroupHeaderFields): void {
  const view = viewOf(target)
  target[0] = header.kind
  target[1] = header.flags
  view.setUint16(2, 0, true)
  view.setUint32(SEALED_BYTES_AT, header.sealedBytes, true)
  view.setUint32(NUMBER_AT, header.number % TWO_32, true)
  view.setUint32(NUMBER_AT + 4, Math.floor(header.number / TWO_32), true)
  target.set(header.random, RANDOM_AT)
  target.set(header.keyId, KEY_ID_AT)
  target.set(header.salt, SALT_AT)
  target.set(header.nonce, NONCE_AT)
}

/** Views of the parts of one header, made once: for who looks at many headers in the same memory. */
export interface GroupHeaderViews {
  readonly keyId: Uint8Array
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
}

/** Of the header that begins `stored`. */
export function groupHeaderViews(stored: Uint8Array): GroupHeaderViews {
  return {
    keyId: stored.subarray(KEY_ID_AT, SALT_AT),
    salt: stored.subarray(SALT_AT, NONCE_AT),
    nonce: stored.subarray(NONCE_AT, GROUP_HEADER_BYTES),
  }
}

/** The header that begins `stored`; undefined when it is none (too short, reserved bytes set, impossible lengths). */
export function readGroupHeader(stored: Uint8Array): GroupHeader | undefined {
  if (stored.length < GROUP_OVERHEAD_BYTES) return undefined
  return headerOf(viewOf(stored), stored.length, groupHeaderViews(stored))
}

/** As `readGroupHeader`, of a header in `view` with `views` of its parts, of a group of `storedBytes` bytes. */
export function headerOf(view: DataView, storedBytes: number, views: GroupHeaderViews): GroupHeader | undefined {
  if (storedBytes < GROUP_OVERHEAD_BYTES) return undefined
  const number = view.getUint32(NUMBER_AT, true) + view.getUint32(NUMBER_AT + 4, true) * TWO_32
  const sealedBytes = view.getUint32(SEALED_BYTES_AT, true)
  if (view.getUint16(2, true) !== 0 || !Number.isSafeInteger(number)) return undefined
  if (sealedBytes !== storedBytes - GROUP_HEADER_BYTES) return undefined
  const { keyId, salt, nonce } = views
  return {
    kind: view.getUint8(0),
    flags: view.getUint8(1),
    sealedBytes,
    number,
    random: readRandom(view),
    keyId,
    salt,
    nonce,
  }
}

/** Low 48 of the random bits inside a header. */
export function randomOf(header: Uint8Array): number {
  return readRandom(viewOf(header))
}

function readRandom(view: DataView): number {
  return view.getUint32(RANDOM_AT, true) + view.getUint16(RANDOM_AT + 4, true) * TWO_32
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
