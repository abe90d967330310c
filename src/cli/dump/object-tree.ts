/** The objects of a chain as a tree, told by their records: no field of any is opened. */
import { decodeChildren, decodeKeys } from '../../engine/dio/collection-record.js'
import { recordInfo } from '../../engine/dio/dao-state.js'
import { millisecondsOf } from '../../engine/dio/hybrid-clock.js'
import { ACCESS_KEY_KIND, CHILD_KIND, KEY_BLOCK_KIND, OBJECT_KIND, ROOT_KIND } from '../../engine/dio/kinds.js'
import { formatKey, isSameKey, type KeyParts, type ObjectKey } from '../../engine/dio/object-key.js'
import { decodeObject, type LinkValue, type ObjectRecord } from '../../engine/dio/object-record.js'
import { pages } from '../../engine/dio/pages.js'
import { decodeAccessKey, type StoredReadRule } from '../../engine/dio/rule-record.js'
import type { RecordReader } from '../../engine/transaction/record-reader.js'
import type { KeyId } from '../../engine/trust/keys.js'
import type { WriteRule } from '../../engine/trust/rules.js'

export interface DumpedObject {
  /** 0 for a root. */
  depth: number
  key: ObjectKey
  /** Where it hangs: the link of its parent, and its name there; undefined for a root. */
  link: string | undefined
  name: string | undefined
  parent: ObjectKey | undefined
  type: string
  /** Counts from 1. */
  version: number
  createdMs: number
  updatedMs: number
  /** Of its fields. */
  bytes: number
  /** Fields are sealed for who may read; whoever opens the chain does not read them. */
  sealed: boolean
  read: 'inherit' | 'everyone' | { readKeys: readonly KeyId[] }
  write: 'inherit' | 'everyone' | 'nobody' | { writeKeys: readonly KeyId[] }
  labels: Readonly<Record<string, string>>
  transformers: readonly string[]
  /** Links to objects that are no children. */
  references: Readonly<Record<string, readonly string[]>>
}

/** What is there and cannot be told. */
export interface BrokenObject {
  depth: number
  key: ObjectKey
  link: string | undefined
  /** What is wrong. */
  broken: string
}

export type ObjectLine = DumpedObject | BrokenObject

/** Deeper trees are possible, and nobody reads them: what is below is left out, and said. */
const MAX_DEPTH = 1000

interface Place {
  depth: number
  parent: KeyParts | undefined
  link: string | undefined
  name: string | undefined
}

type Step = { key: KeyParts; place: Place } | BrokenObject

/** In the order of their keys, children behind their parents. Memory: one page of records for each level. */
export function* objectTree(reader: RecordReader): Generator<ObjectLine> {
  const root: Place = { depth: 0, parent: undefined, link: undefined, name: undefined }
  for (const key of rootKeys(reader)) {
    // Nested generators cost their depth for each item.
    const levels: Iterator<Step>[] = [[{ key, place: root }].values()]
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const next = level.next()
      if (next.done === true) levels.pop()
      else if ('broken' in next.value) yield next.value
      else {
        const { key, place } = next.value
        const { line, record } = lineOf(reader, key, place)
        yield line
        if (record !== undefined) levels.push(childrenOf(reader, key, record, place.depth + 1))
      }
    }
  }
}

/** Roots lie in blocks of keys with other objects, or are listed by themselves. */
function* rootKeys(reader: RecordReader): Generator<KeyParts> {
  for (const block of pages(() => reader, KEY_BLOCK_KIND, 0))
    for (const { low, value } of pages(() => reader, OBJECT_KIND, block.low))
      if (isRoot(value)) yield { high: block.low, low }
  for (const { value } of pages(() => reader, ROOT_KIND, 0)) yield* decodeKeys(value)
}

/** What cannot be read is shown where it lies. */
function isRoot(bytes: Uint8Array): boolean {
  try {
    const record = decodeObject(bytes)
    return record !== undefined && record.parent === undefined
  } catch {
    return true
  }
}

function* childrenOf(reader: RecordReader, parent: KeyParts, { links }: ObjectRecord, depth: number): Generator<Step> {
  for (const [link, value] of links) {
    if (value.kind !== 'collection') continue
    for (const { value: bytes } of pages(() => reader, CHILD_KIND, value.collection)) {
      try {
        for (const { name, key } of decodeChildren(bytes))
          yield { key, place: { depth, parent, link, name: name === '' ? undefined : name } }
      } catch (error) {
        yield { depth, key: formatKey(parent), link, broken: messageOf(error) }
      }
    }
  }
}

/** `record`: what leads on; undefined where nothing does. */
function lineOf(
  reader: RecordReader,
  key: KeyParts,
  place: Place,
): { line: ObjectLine; record: ObjectRecord | undefined } {
  const broken = (what: string): { line: BrokenObject; record: undefined } => {
    const { depth, link } = place
    return { line: { depth, key: formatKey(key), link, broken: what }, record: undefined }
  }
  try {
    const bytes = reader.get(OBJECT_KIND, key.high, key.low)
    const record = bytes === undefined ? undefined : decodeObject(bytes)
    if (record === undefined) return broken('is not there')
    const isHere =
      place.parent === undefined
        ? record.parent === undefined
        : record.parent !== undefined && isSameKey(record.parent.key, place.parent)
    if (!isHere) return broken('says that it is elsewhere')
    if (place.depth >= MAX_DEPTH) return broken('lies too deep: what is below is left out')
    return { line: describe(reader, key, place, record), record }
  } catch (error) {
    return broken(messageOf(error))
  }
}

function describe(reader: RecordReader, key: KeyParts, place: Place, record: ObjectRecord): DumpedObject {
  const { depth, link, name, parent } = place
  const { revision, createdAt, updatedAt, rules, sealedBy, labels, transforms, type } = record
  return {
    depth,
    key: formatKey(key),
    link,
    name,
    parent: parent === undefined ? undefined : formatKey(parent),
    type,
    version: revision,
    createdMs: millisecondsOf(createdAt),
    updatedMs: millisecondsOf(updatedAt),
    bytes: recordInfo(record).sizeBytes,
    sealed: sealedBy !== undefined,
    read: readRule(reader, rules?.read),
    write: writeRule(rules?.write),
    labels: Object.fromEntries(labels),
    transformers: transforms?.ids ?? [],
    references: references(record.links),
  }
}

function readRule(reader: RecordReader, rule: StoredReadRule = { kind: 'inherit' }): DumpedObject['read'] {
  if (rule.kind !== 'ring') return rule.kind
  const bytes = reader.get(ACCESS_KEY_KIND, rule.ring, rule.epoch)
  return { readKeys: bytes === undefined ? [] : decodeAccessKey(bytes).wraps.map(({ readKey }) => readKey) }
}

function writeRule(rule: WriteRule = { kind: 'inherit' }): DumpedObject['write'] {
  return rule.kind === 'any' ? { writeKeys: rule.keys } : rule.kind
}

function references(links: ReadonlyMap<string, LinkValue>): Record<string, string[]> {
  const found: [string, string[]][] = []
  for (const [link, value] of links) {
    if (value.kind === 'weak' && value.key !== undefined) found.push([link, [formatKey(value.key)]])
    if (value.kind === 'foreign')
      found.push([link, Array.from(value.targets.values(), ({ chain, key }) => `${chain} ${formatKey(key)}`)])
  }
  return Object.fromEntries(found)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'cannot be read'
}
