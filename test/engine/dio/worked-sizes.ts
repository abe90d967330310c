/** What `docs/objects.md` works out is what the code does: sizes, limits, keys, hashes and times. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { Chain } from '../../../src/engine/dio/chain.js'
import { Collection, type PlacedChild } from '../../../src/engine/dio/collection.js'
import { encodeChildren, encodeCollection, encodeKeys } from '../../../src/engine/dio/collection-record.js'
import { indexPlace } from '../../../src/engine/dio/field-index.js'
import { HybridClock } from '../../../src/engine/dio/hybrid-clock.js'
import * as kinds from '../../../src/engine/dio/kinds.js'
import { hashTexts } from '../../../src/engine/dio/numbers.js'
import { formatKey, type KeyParts, parseKey } from '../../../src/engine/dio/object-key.js'
import { keyOfName } from '../../../src/engine/dio/object-names.js'
import { decodeObject, encodeObject, type LinkValue, type ObjectRecord } from '../../../src/engine/dio/object-record.js'
import { encodeFields } from '../../../src/engine/dio/stored-value.js'
import {
  MAX_BODY_BYTES,
  MAX_OBJECT_BYTES,
  MAX_OBJECT_LINKS,
  SHARED_BODY_BYTES,
  OBJECT_INLINE_BYTES,
} from '../../../src/engine/limits.js'
import { Box, boxWith, Item } from '../../helpers/objects.js'
import { projectRoot } from '../../helpers/source-files.js'

const page = readFileSync(join(projectRoot, 'docs/objects.md'), 'utf8').replaceAll(/\s+/g, ' ')
const sizes = page.slice(page.indexOf('## Sizes'))
const KIB = 1024

const key: KeyParts = { high: 2 ** 53 - 1, low: 2 ** 53 - 2 }
const hello = encodeFields({ commandment: 'Hello' }, 'World', (length) => new Uint8Array(length))
const time = 2 ** 52

function objectBytes(changes: Partial<ObjectRecord> = {}): number {
  return encodeObject({
    createdAt: time,
    updatedAt: time,
    revision: 1,
    parent: undefined,
    rules: undefined,
    sealedBy: undefined,
    labels: new Map(),
    transforms: undefined,
    type: 'World',
    links: new Map(),
    indexed: [],
    data: hello,
    ...changes,
  }).length
}

/** What a link takes beside the text of its name. */
function linkBytes(link: LinkValue): number {
  return objectBytes({ links: new Map([['moons', link]]) }) - objectBytes() - ('moons'.length + 1)
}

t.test('the sizes of objects', (t) => {
  const rest = objectBytes() - hello.length - 1
  t.match(
    sizes,
    `without links: ${rest} + 1 + ${hello.length} = ${objectBytes()} bytes, the fields ${hello.length} of them.`,
  )
  const child = objectBytes({ parent: { key, collection: time, place: time } })
  t.match(sizes, `As a child it has ${child - objectBytes()} bytes more.`)
  const collection = linkBytes({ kind: 'collection', collection: time })
  const record = encodeCollection({ parent: key, link: 'moons' }).length
  t.match(sizes, `takes ${collection} bytes more than its name's text`)
  t.match(sizes, `for \`moons\` ${collection + 'moons'.length + 1} and ${record} bytes.`)
  const weak = [undefined, key].map((key) => linkBytes({ kind: 'weak', key }))
  const indexed = objectBytes({ indexed: [time] }) - objectBytes()
  t.match(sizes, `A weak link takes ${weak.join(' bytes or ')}, each entry in the field index ${indexed}.`)
  t.end()
})

t.test('the sizes of the records around them', (t) => {
  const [vec, map] = ['', 'Oslo'].map((name) => encodeChildren([{ name, key }]).length)
  t.match(
    sizes,
    `A child of a vec takes a record of ${vec} bytes in its collection; one named \`Oslo\` in a map ${map}.`,
  )
  const listed = encodeKeys([key]).length
  t.match(sizes, `one that no block finds has a record of ${listed}.`)
  t.match(sizes, `An entry in the field index is a record of ${listed} bytes.`)
  const piece = { body: 2 ** 53 - 1, offset: MAX_BODY_BYTES, length: MAX_BODY_BYTES }
  const pieces = Math.ceil(100_000 / MAX_BODY_BYTES)
  const data = Array.from({ length: pieces }, () => piece)
  const most = objectBytes({ data }) - (objectBytes() - hello.length - 1)
  t.match(sizes, `Fields of 100,000 bytes lie in ${pieces} bodies; the pieces take at most ${most} bytes of the record`)
  t.end()
})

t.test('the kinds and the limits', (t) => {
  const rows = [...page.matchAll(/\| (3\d) ([a-z ]+?) +\|/g)].map(([, kind = '', name = '']) => [name, Number(kind)])
  t.strictSame(Object.fromEntries(rows), {
    object: kinds.OBJECT_KIND,
    'access key': kinds.ACCESS_KEY_KIND,
    trust: kinds.TRUST_KIND,
    'key block': kinds.KEY_BLOCK_KIND,
    root: kinds.ROOT_KIND,
    collection: kinds.COLLECTION_KIND,
    child: kinds.CHILD_KIND,
    'field index': kinds.FIELD_INDEX_KIND,
  })
  t.match(page, `Fields of up to ${OBJECT_INLINE_BYTES} bytes lie in the record`)
  t.match(
    page,
    `Those of up to ${SHARED_BODY_BYTES / KIB} KiB share bodies of that size. At most ${MAX_OBJECT_BYTES / KIB / KIB} MiB.`,
  )
  t.match(page, `each piece of ${MAX_BODY_BYTES / KIB} KiB but the last.`)
  t.match(page, `At most ${MAX_OBJECT_LINKS} links, targets and entries each.`)
  t.end()
})

t.test('keys, hashes and times', (t) => {
  t.match(page, '`00000000001` and `00000000010`')
  t.equal(formatKey({ high: 1, low: 32 }), '0000000000100000000010')
  t.equal(formatKey(key).length, 22)
  t.equal(hashTexts(nativeCrypto, 'a', 'é'), hashAsWritten('a', 'é'))
  t.equal(indexPlace(nativeCrypto, Item, 'name', 'x'), hashAsWritten('Item', 'name', 'string', 'x'))
  t.strictSame(parseKey(keyOfName(nativeCrypto, 'queue', 'jobs')), {
    high: hashAsWritten('atefs name', 'queue', 'jobs'),
    low: hashAsWritten('atefs name, second half', 'queue', 'jobs'),
  })
  const clock = new HybridClock(() => Date.parse('2026-01-01T00:00:00Z'))
  const first = clock.next()
  t.match(page, `2026-01-01T00:00:00Z is ${first}.`)
  t.equal(clock.next(), first + 1)
  t.end()
})

t.test('the records of an object with children, and their places', async (t) => {
  const opened = await openMemoryChain({ crypto: nativeCrypto })
  const { view } = opened
  await using chain = new Chain({
    name: 'test',
    view,
    crypto: nativeCrypto,
    nowMs: Date.now,
    durability: 'memory',
    compact: () => view.compact(),
    onClose: () => opened.close(),
  })
  const box = await boxWith(chain, 'a', 'b')
  await chain.transact(async (dio) => {
    const { items, cover } = await dio.load(Box, box.key)
    await items.insert(1, { name: 'between', amount: 1 })
    await items.insert(0, { name: 'before', amount: 1 })
    cover.store({ text: 'the only one' })
  })
  const { high, low } = parseKey(box.key)
  const links =
    decodeObject(view.get(kinds.OBJECT_KIND, high, low) ?? new Uint8Array())?.links ?? new Map<string, LinkValue>()
  const children = (name: string): PlacedChild[] => {
    const link = links.get(name)
    return link?.kind === 'collection' ? [...new Collection(view, link.collection).children()] : []
  }
  t.match(page, 'The first has 2^52; each appended one 2^20 more')
  const [first, step] = [2 ** 52, 2 ** 20]
  t.strictSame(children('items').map(({ place }) => place), [first - step, first, first + step / 2, first + step]) // prettier-ignore
  t.strictSame(children('cover').map(({ name, place }) => [name, place]), [['child', hashAsWritten('child')]]) // prettier-ignore
  t.strictSame(
    view.range(kinds.KEY_BLOCK_KIND, 0, 0, 2 ** 53 - 1, 2).map(({ low, value }) => [low, value.length]),
    [[high, 1]],
    'one block of roots, of which the children are none',
  )
})

/** As the page says it: 7 bytes of SHA-256, little-endian, without the upper 3 bits. */
function hashAsWritten(...texts: string[]): number {
  const hash = createHash('sha256')
  for (const text of texts) {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    hash.update(length).update(bytes)
  }
  return Number(BigInt.asUintN(53, hash.digest().readBigUInt64LE()))
}
