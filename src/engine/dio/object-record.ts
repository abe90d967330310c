/** The record of an object (`docs/objects.md`): what the log and the index hold of it. */
import { isShortAscii } from '../bytes/ascii.js'
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { toLatin1 } from '../bytes/latin1.js'
import { Slab } from '../bytes/slab.js'
import type { BodySlice } from '../chain/record-view.js'
import { AteError } from '../error.js'
import {
  MAX_INDEXED_FIELDS,
  MAX_LABELS,
  MAX_LINK_BYTES,
  MAX_OBJECT_BYTES,
  MAX_OBJECT_LINKS,
  MAX_STORED_OBJECT_BYTES,
  MAX_TRANSFORMER_NAME,
  MAX_TRANSFORMERS,
} from '../limits.js'
import { type Labels, NO_LABELS } from './hooks/labels.js'
import { readRules, type StoredRules, writeRules } from './rule-record.js'
import { type KeyParts, readObjectKey, writeObjectKey } from './object-key.js'

const FORMAT = 1
const HAS_PARENT = 1
const HAS_BODIES = 2
const HAS_RULES = 4
const IS_SEALED = 8
/** Nothing but its head: the object is deleted, and stays so. */
const IS_DELETED = 16
const IS_TRANSFORMED = 32
const HAS_LABELS = 64
/** What this program knows. Whoever meets another one must not guess what it means. */
const KNOWN_FLAGS = HAS_PARENT | HAS_BODIES | HAS_RULES | IS_SEALED | IS_TRANSFORMED | HAS_LABELS

export interface Parent {
  readonly key: KeyParts
  readonly collection: number
  /** Where in the collection: position, or hash of the name. */
  readonly place: number
}

/** Where a link leads. */
export type LinkValue =
  | { readonly kind: 'collection'; readonly collection: number }
  | { readonly kind: 'weak'; readonly key: KeyParts | undefined }
  | { readonly kind: 'foreign'; readonly targets: ReadonlyMap<string, ForeignTarget> }

/** Of the objects of most types: one for all. */
export const NO_LINKS: ReadonlyMap<string, LinkValue> = new Map()
/** In no place of the index of fields. */
export const NOWHERE: readonly number[] = []

export interface ForeignTarget {
  readonly chain: string
  readonly key: KeyParts
}

/** What was done to the bytes of fields, in this order, and how many they were before. */
export interface Transforms {
  readonly ids: readonly string[]
  readonly length: number
}

export interface ObjectRecord {
  /** Hybrid times. */
  readonly createdAt: number
  readonly updatedAt: number
  /** Counts its versions, from 1. */
  readonly revision: number
  readonly parent: Parent | undefined
  readonly type: string
  readonly links: ReadonlyMap<string, LinkValue>
  /** Places in the index of fields where its key lies. */
  readonly indexed: readonly number[]
  /** Its own rules; undefined: all inherited. */
  readonly rules: StoredRules | undefined
  /** The access key that its fields are sealed with; undefined: whoever opens the chain reads them. */
  readonly sealedBy: AccessKeyName | undefined
  /** Texts that linters gave it. */
  readonly labels: Labels
  /** What was done to the fields before they were sealed; undefined: nothing. */
  readonly transforms: Transforms | undefined
  /** The fields, or where they lie when there are many. */
  readonly data: Uint8Array | readonly BodySlice[]
}

export interface AccessKeyName {
  readonly ring: number
  readonly epoch: number
}

/** OBJECT_TOO_LARGE when the links would not fit into the record of their object. */
export function refuseLargeLinks(links: ReadonlyMap<string, LinkValue>): void {
  const writer = new ByteWriter()
  for (const [name, link] of links) {
    writer.text(name)
    writeLink(writer, link)
  }
  const isTooMany = [...links.values()].some((link) => link.kind === 'foreign' && link.targets.size > MAX_OBJECT_LINKS)
  if (writer.length > MAX_LINK_BYTES || isTooMany)
    throw new AteError('OBJECT_TOO_LARGE', `The links of an object have more than ${MAX_LINK_BYTES} bytes.`)
}

const LINK_COLLECTION = 1
const LINK_WEAK = 2
const LINK_FOREIGN = 3

const fromUtf8 = new TextDecoder('utf-8', { fatal: true })
const shared = new ByteWriter(4096)
/** Records of objects are many, small, and forgotten together when the index has them. */
const slab = new Slab()
const take = (length: number): Uint8Array => slab.take(length)

export function encodeObject(record: ObjectRecord): Uint8Array {
  const { parent, data } = record
  const hasBodies = !(data instanceof Uint8Array)
  const { rules, sealedBy, labels, transforms } = record
  const flags =
    (parent === undefined ? 0 : HAS_PARENT) |
    (hasBodies ? HAS_BODIES : 0) |
    (rules === undefined ? 0 : HAS_RULES) |
    (sealedBy === undefined ? 0 : IS_SEALED) |
    (transforms === undefined ? 0 : IS_TRANSFORMED) |
    (labels.size === 0 ? 0 : HAS_LABELS)
  const writer = shared.reset().u8(FORMAT).u8(flags)
  writer.u53(record.createdAt).u53(record.updatedAt).varint(record.revision)
  if (parent !== undefined) {
    writeObjectKey(writer, parent.key)
    writer.u53(parent.collection).u53(parent.place)
  }
  if (rules !== undefined) writeRules(writer, rules)
  if (sealedBy !== undefined) writer.u53(sealedBy.ring).varint(sealedBy.epoch)
  if (transforms !== undefined) writeTransforms(writer, transforms)
  if (labels.size > 0) writeLabels(writer, labels)
  writer.text(record.type)
  writer.varint(record.links.size)
  for (const [name, link] of record.links) {
    writer.text(name)
    writeLink(writer, link)
  }
  writer.varint(record.indexed.length)
  for (const place of record.indexed) writer.u53(place)
  if (data instanceof Uint8Array) writer.varint(data.length).bytes(data)
  else {
    writer.varint(data.length)
    for (const { body, offset, length } of data) writer.varint(body).varint(offset).varint(length)
  }
  return writer.copy(take)
}

/** Stands where a protected object was, so that nobody takes its place. */
export const TOMBSTONE = Uint8Array.of(FORMAT, IS_DELETED)

export function isTombstone(bytes: Uint8Array): boolean {
  return bytes.length === TOMBSTONE.length && bytes[1] === IS_DELETED
}

/** Undefined for a tombstone. BAD_FORMAT. Bytes of the fields are a view of `bytes`. */
export function decodeObject(bytes: Uint8Array): ObjectRecord | undefined {
  if (isTombstone(bytes)) return undefined
  const reader = new ByteReader(bytes, 'object')
  if (reader.u8('format') !== FORMAT) throw reader.bad('format', 'is not 1', 0)
  const flags = reader.u8('flags')
  if ((flags & ~KNOWN_FLAGS) !== 0) throw unknownFlags(flags)
  const createdAt = reader.u53('created')
  const updatedAt = reader.u53('updated')
  const revision = reader.varint('revision')
  const parent = (flags & HAS_PARENT) === 0 ? undefined : readParent(reader)
  const rules = (flags & HAS_RULES) === 0 ? undefined : readRules(reader)
  const sealedBy = (flags & IS_SEALED) === 0 ? undefined : { ring: reader.u53('ring'), epoch: reader.varint('epoch') }
  const transforms = (flags & IS_TRANSFORMED) === 0 ? undefined : readTransforms(reader)
  const labels = (flags & HAS_LABELS) === 0 ? NO_LABELS : readLabels(reader)
  const type = readText(reader, 'type')
  const links = readLinks(reader)
  const indexed = readPlaces(reader)
  const data = (flags & HAS_BODIES) === 0 ? reader.bytes(reader.varint('length'), 'fields') : readSlices(reader)
  reader.done()
  return { createdAt, updatedAt, revision, parent, type, links, indexed, rules, sealedBy, labels, transforms, data }
}

function unknownFlags(flags: number): AteError {
  return new AteError(
    'UNSUPPORTED_FORMAT',
    `An object has features unknown to this program (0x${flags.toString(16)}).`,
    {
      hint: 'Use the newer atefs that wrote it.',
    },
  )
}

function writeTransforms(writer: ByteWriter, { ids, length }: Transforms): void {
  writer.varint(length).varint(ids.length)
  for (const id of ids) writer.text(id)
}

function readTransforms(reader: ByteReader): Transforms {
  const length = reader.varint('length before')
  const count = reader.varint('transformers')
  if (length > MAX_OBJECT_BYTES) throw reader.bad('length before', 'is impossible')
  if (count === 0 || count > MAX_TRANSFORMERS) throw reader.bad('transformers', 'are none or too many')
  const ids = Array.from({ length: count }, () => readText(reader, 'transformer'))
  if (ids.some((id) => id.length > MAX_TRANSFORMER_NAME)) throw reader.bad('transformer', 'is too long')
  return { ids, length }
}

function writeLabels(writer: ByteWriter, labels: Labels): void {
  writer.varint(labels.size)
  for (const text of [...labels].flat()) writer.text(text)
}

/** In the order of their names, each once. */
function readLabels(reader: ByteReader): Labels {
  const count = reader.varint('labels')
  if (count === 0 || count > MAX_LABELS) throw reader.bad('labels', 'are none or too many')
  const labels = new Map<string, string>()
  let last: string | undefined
  for (let i = 0; i < count; i++) {
    const name = readText(reader, 'label')
    if (last !== undefined && name <= last) throw reader.bad('labels', 'are not in order')
    labels.set(name, readText(reader, 'value'))
    last = name
  }
  return labels
}

function readParent(reader: ByteReader): Parent {
  return { key: readObjectKey(reader), collection: reader.u53('collection'), place: reader.u53('place') }
}

function writeLink(writer: ByteWriter, link: LinkValue): void {
  switch (link.kind) {
    case 'collection':
      writer.u8(LINK_COLLECTION).u53(link.collection)
      return
    case 'weak':
      writer.u8(LINK_WEAK).u8(link.key === undefined ? 0 : 1)
      if (link.key !== undefined) writeObjectKey(writer, link.key)
      return
    case 'foreign':
      writer.u8(LINK_FOREIGN).varint(link.targets.size)
      for (const [name, { chain, key }] of link.targets) {
        writer.text(name)
        writer.text(chain)
        writeObjectKey(writer, key)
      }
      return
    default:
      link satisfies never
  }
}

function readLinks(reader: ByteReader): ReadonlyMap<string, LinkValue> {
  const count = reader.varint('links')
  if (count === 0) return NO_LINKS
  const links = new Map<string, LinkValue>()
  if (count > MAX_OBJECT_LINKS) throw reader.bad('links', 'are too many')
  for (let i = 0; i < count; i++) links.set(readText(reader, 'link'), readLink(reader))
  return links
}

function readLink(reader: ByteReader): LinkValue {
  const kind = reader.u8('link')
  if (kind === LINK_COLLECTION) return { kind: 'collection', collection: reader.u53('collection') }
  if (kind === LINK_WEAK) return { kind: 'weak', key: reader.u8('is set') === 0 ? undefined : readObjectKey(reader) }
  if (kind !== LINK_FOREIGN) throw reader.bad('link', 'is of an unknown kind')
  const targets = new Map<string, ForeignTarget>()
  const count = reader.varint('targets')
  if (count > MAX_OBJECT_LINKS) throw reader.bad('targets', 'are too many')
  for (let i = 0; i < count; i++)
    targets.set(readText(reader, 'name'), { chain: readText(reader, 'chain'), key: readObjectKey(reader) })
  return { kind: 'foreign', targets }
}

function readPlaces(reader: ByteReader): readonly number[] {
  const count = reader.varint('indexed')
  if (count === 0) return NOWHERE
  if (count > MAX_INDEXED_FIELDS + MAX_LABELS) throw reader.bad('indexed', 'are too many')
  return Array.from({ length: count }, () => reader.u53('indexed'))
}

function readSlices(reader: ByteReader): BodySlice[] {
  const slices: BodySlice[] = []
  let bytes = 0
  for (let count = reader.varint('pieces'); count > 0; count--) {
    const slice = { body: reader.varint('body'), offset: reader.varint('offset'), length: reader.varint('length') }
    bytes += slice.length
    if (slice.length === 0 || bytes > MAX_STORED_OBJECT_BYTES) throw reader.bad('pieces', 'have an impossible length')
    slices.push(slice)
  }
  return slices
}

export function readText(reader: ByteReader, field: string): string {
  const bytes = reader.bytes(reader.varint(field), field)
  if (isShortAscii(bytes)) return toLatin1(bytes)
  try {
    return fromUtf8.decode(bytes)
  } catch {
    throw reader.bad(field, 'is not UTF-8')
  }
}
