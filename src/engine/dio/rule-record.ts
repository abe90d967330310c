/** Rules and access keys as they are stored (`docs/objects.md`). */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { AteError } from '../error.js'
import { MAX_RULE_KEYS } from '../limits.js'
import { ACCESS_KEY_BYTES, SEAL_OVERHEAD_BYTES } from '../trust/access-keys.js'
import { KEY_ID_BYTES, type KeyId, keyIdBytes, keyIdOf } from '../trust/keys.js'
import type { WriteRule } from '../trust/rules.js'

/** Who reads: everyone, or who can open the access keys of a ring. */
export type StoredReadRule =
  | { readonly kind: 'inherit' }
  | { readonly kind: 'everyone' }
  | { readonly kind: 'ring'; readonly ring: number; readonly epoch: number }

export interface StoredRules {
  readonly read: StoredReadRule
  readonly write: WriteRule
}

export const INHERITED: StoredRules = { read: { kind: 'inherit' }, write: { kind: 'inherit' } }

const INHERIT = 0
const EVERYONE = 1
const NOBODY = 2
const KEYS = 3
const RING = 4

export function writeRules(writer: ByteWriter, { read, write }: StoredRules): void {
  if (read.kind === 'ring') writer.u8(RING).u53(read.ring).varint(read.epoch)
  else writer.u8(read.kind === 'inherit' ? INHERIT : EVERYONE)
  switch (write.kind) {
    case 'inherit':
      writer.u8(INHERIT)
      return
    case 'everyone':
      writer.u8(EVERYONE)
      return
    case 'nobody':
      writer.u8(NOBODY)
      return
    case 'any':
      writer.u8(KEYS)
      writeKeyIds(writer, write.keys)
      return
    default:
      write satisfies never
  }
}

/** BAD_FORMAT. */
export function readRules(reader: ByteReader): StoredRules {
  const kind = reader.u8('read rule')
  let read: StoredReadRule
  if (kind === INHERIT) read = { kind: 'inherit' }
  else if (kind === EVERYONE) read = { kind: 'everyone' }
  else if (kind === RING) read = { kind: 'ring', ring: reader.u53('ring'), epoch: reader.varint('epoch') }
  else throw reader.bad('read rule', 'is of an unknown kind')
  return { read, write: readWriteRule(reader) }
}

function readWriteRule(reader: ByteReader): WriteRule {
  const kind = reader.u8('write rule')
  if (kind === INHERIT) return { kind: 'inherit' }
  if (kind === EVERYONE) return { kind: 'everyone' }
  if (kind === NOBODY) return { kind: 'nobody' }
  if (kind === KEYS) return { kind: 'any', keys: readKeyIds(reader) }
  throw reader.bad('write rule', 'is of an unknown kind')
}

/** BAD_ARGUMENT for more keys than a rule, or the root of a chain, can have: who stored them could not read them again. */
export function refuseManyKeys({ length }: readonly unknown[]): void {
  if (length <= MAX_RULE_KEYS) return
  throw new AteError('BAD_ARGUMENT', `A rule has ${length} keys; ${MAX_RULE_KEYS} are the limit.`, {
    hint: 'Give the key of a group to its members, and let the rule name the group.',
  })
}

export function writeKeyIds(writer: ByteWriter, keys: readonly KeyId[]): void {
  writer.varint(keys.length)
  for (const key of keys) writer.bytes(keyIdBytes(key))
}

export function readKeyIds(reader: ByteReader): KeyId[] {
  const count = reader.varint('keys')
  if (count > MAX_RULE_KEYS) throw reader.bad('keys', 'are too many')
  return Array.from({ length: count }, () => keyIdOf(reader.bytes(KEY_ID_BYTES, 'key')))
}

/** An access key, sealed for each read key that opens it. */
export interface AccessKeyRecord {
  readonly wraps: readonly { readonly readKey: KeyId; readonly wrapped: Uint8Array }[]
}

const ACCESS_KEY_FORMAT = 1
const WRAPPED_BYTES = SEAL_OVERHEAD_BYTES + ACCESS_KEY_BYTES
const shared = new ByteWriter(256)

export function encodeAccessKey({ wraps }: AccessKeyRecord): Uint8Array {
  const writer = shared.reset().u8(ACCESS_KEY_FORMAT).varint(wraps.length)
  for (const { readKey, wrapped } of wraps) writer.bytes(keyIdBytes(readKey)).bytes(wrapped)
  return writer.copy()
}

/** BAD_FORMAT. */
export function decodeAccessKey(bytes: Uint8Array): AccessKeyRecord {
  const reader = new ByteReader(bytes, 'access key')
  if (reader.u8('format') !== ACCESS_KEY_FORMAT) throw reader.bad('format', 'is not 1', 0)
  const count = reader.varint('wraps')
  if (count > MAX_RULE_KEYS) throw reader.bad('wraps', 'are too many')
  const wraps = Array.from({ length: count }, () => ({
    readKey: keyIdOf(reader.bytes(KEY_ID_BYTES, 'read key')),
    wrapped: reader.bytes(WRAPPED_BYTES, 'wrapped key'),
  }))
  reader.done()
  return { wraps }
}

const ROOTS_FORMAT = 1

/** The keys that may change what has no rule of its own; none: everyone may. */
export function encodeRootKeys(keys: readonly KeyId[]): Uint8Array {
  const writer = shared.reset().u8(ROOTS_FORMAT)
  writeKeyIds(writer, keys)
  return writer.copy()
}

/** BAD_FORMAT. */
export function decodeRootKeys(bytes: Uint8Array): KeyId[] {
  const reader = new ByteReader(bytes, 'root keys')
  if (reader.u8('format') !== ROOTS_FORMAT) throw reader.bad('format', 'is not 1', 0)
  const keys = readKeyIds(reader)
  reader.done()
  return keys
}
