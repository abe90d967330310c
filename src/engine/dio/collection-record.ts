/** The small records around objects: what a collection belongs to, and lists of keys. */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { type KeyParts, OBJECT_KEY_BYTES, readObjectKey, writeObjectKey } from './object-key.js'
import { readText } from './object-record.js'

const FORMAT = 1
const shared = new ByteWriter(256)

/** The object whose children a collection holds, and by which of its links. */
export interface CollectionRecord {
  readonly parent: KeyParts
  readonly link: string
}

export function encodeCollection({ parent, link }: CollectionRecord): Uint8Array {
  const writer = shared.reset().u8(FORMAT)
  writeObjectKey(writer, parent)
  writer.text(link)
  return writer.copy()
}

/** BAD_FORMAT. */
export function decodeCollection(bytes: Uint8Array): CollectionRecord {
  const reader = start(bytes, 'collection')
  const parent = readObjectKey(reader)
  const link = readText(reader, 'link')
  reader.done()
  return { parent, link }
}

/** A child: with its name in a map, with an empty one elsewhere. */
export interface Child {
  readonly name: string
  readonly key: KeyParts
}

/** Children that share a place: one, or those of a map whose names have one hash. */
export function encodeChildren(children: readonly Child[]): Uint8Array {
  const writer = shared.reset().u8(FORMAT)
  for (const { name, key } of children) {
    writer.text(name)
    writeObjectKey(writer, key)
  }
  return writer.copy()
}

/** BAD_FORMAT. */
export function decodeChildren(bytes: Uint8Array): Child[] {
  const reader = start(bytes, 'children')
  const children: Child[] = []
  while (reader.remaining > 0) children.push({ name: readText(reader, 'name'), key: readObjectKey(reader) })
  return children
}

export function encodeKeys(keys: readonly KeyParts[]): Uint8Array {
  const writer = shared.reset().u8(FORMAT)
  for (const key of keys) writeObjectKey(writer, key)
  return writer.copy()
}

/** BAD_FORMAT. */
export function decodeKeys(bytes: Uint8Array): KeyParts[] {
  const reader = start(bytes, 'keys')
  const keys: KeyParts[] = []
  while (reader.remaining >= OBJECT_KEY_BYTES) keys.push(readObjectKey(reader))
  reader.done()
  return keys
}

function start(bytes: Uint8Array, what: string): ByteReader {
  const reader = new ByteReader(bytes, what)
  if (reader.u8('format') !== FORMAT) throw reader.bad('format', 'is not 1', 0)
  return reader
}
