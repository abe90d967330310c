/**
 * The record of extended attributes whose names share a hash, nearly always one: version (1), then per attribute length of
 * the name (1), name, length of the value (varint), value.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'

const VERSION = 1
/** XATTR_NAME_MAX, XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
export const MAX_XATTR_NAME_BYTES = 255
export const MAX_XATTR_VALUE_BYTES = 65_536
export const MAX_XATTR_LIST_BYTES = 65_536

export interface Xattr {
  name: string
  value: Uint8Array
}

const writer = new ByteWriter(1024)

export function encodeXattrs(xattrs: readonly Xattr[]): Uint8Array {
  writer.reset().u8(VERSION)
  for (const { name, value } of xattrs) writer.u8(name.length).latin1(name).varint(value.length).bytes(value)
  return writer.copy()
}

/** Throws BAD_FORMAT. Values share the record's memory. */
export function decodeXattrs(bytes: Uint8Array): Xattr[] {
  const reader = new ByteReader(bytes, 'extended attribute')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}, not ${VERSION}`)
  const xattrs: Xattr[] = []
  do {
    const name = reader.latin1(reader.u8('length of the name'), 'name')
    if (!isXattrName(name)) throw reader.bad('name', 'is not a name')
    const length = reader.varint('length of the value')
    if (length > MAX_XATTR_VALUE_BYTES) throw reader.bad('length of the value', 'is too large')
    xattrs.push({ name, value: reader.bytes(length, 'value') })
  } while (reader.remaining > 0)
  return xattrs
}

export function isXattrName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_XATTR_NAME_BYTES && !name.includes('\0')
}
