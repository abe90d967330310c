/** Transformers: what they do to stored bytes, and how bytes of others, and of liars, are read. */
import * as fc from 'fast-check'
import t from 'tap'
import { concatBytes } from '../../../src/engine/bytes/concat.js'
import { errorCode } from '../../../src/engine/error.js'
import { Hooks } from '../../../src/engine/dio/hooks/hooks.js'
import type { Transformer } from '../../../src/engine/dio/hooks/plugin.js'
import type { Plugin } from '../../../src/engine/dio/plugin.js'
import { infoOf } from '../../../src/engine/dio/dao-state.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { decodeObject, encodeObject, type ObjectRecord } from '../../../src/engine/dio/object-record.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MAX_OBJECT_BYTES } from '../../../src/engine/limits.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { readBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { compression } from '../../../src/library/compression.js'
import { generateReadKey } from '../../../src/library/keys.js'
import { keys } from '../../helpers/log-workbench.js'
import { memoryChain, Note } from '../../helpers/objects.js'

const Blob = dataType('Blob', plain<{ bytes: Uint8Array }>())

const text = 'all work and no play makes jack a dull boy. '.repeat(1000)

function using(...transformers: Transformer[]): Plugin[] {
  return [{ name: 'transformers', transformers }]
}

/** Adds a byte at the end, and takes it away. */
function tail(id: string, byte: number): Transformer {
  return {
    id,
    encode: (bytes) => concatBytes(bytes, Uint8Array.of(byte)),
    decode: (bytes) => {
      if (bytes[bytes.length - 1] !== byte) throw new Error(`${id} was not the last`)
      return bytes.subarray(0, -1)
    },
  }
}

/** A chain in a place that can be opened again, with other plugins. */
function place() {
  const [storage, store] = [new MemoryStorage(), new MemoryStore()]
  return { storage, open: (plugins: readonly Plugin[] = []) => memoryChain({ storage, store, keys }, plugins) }
}

await t.test('what is compressed takes less, is read back the same, and says how large it is', async (t) => {
  const { storage, open } = place()
  let key
  {
    await using chain = await open([compression()])
    key = (await chain.transact((dio) => dio.store({ text }, { type: Note }))).key
    const loaded = await chain.dio().load(Note, key)
    t.equal(loaded.text, text)
    t.ok(infoOf(loaded).sizeBytes >= text.length, 'the size is that of its fields')
  }
  const sizes = await Promise.all(
    (await storage.list()).map(async (name) => (await storage.openSegment(name, 'read')).size()),
  )
  t.ok(sizes.reduce((sum, size) => sum + size, 0) < text.length)
  await using chain = await open([compression()])
  t.equal((await chain.dio().load(Note, key)).text, text)
  await using without = await open()
  await t.rejects(without.dio().load(Note, key), { code: 'UNKNOWN_TRANSFORMER', message: /deflate/ })
  t.equal((await without.dio().info(key))?.type, 'Note', 'what is known of it beside its fields is')
})

await t.test('what does not become smaller is stored as it is, and is read without the transformer', async (t) => {
  const { open } = place()
  const noise = new Uint8Array(5000)
  for (let i = 0, x = 1; i < noise.length; i++, x = (x * 48271) % 2147483647) noise[i] = x
  await using chain = await open([compression()])
  const blob = await chain.transact((dio) => dio.store({ bytes: noise }, { type: Blob }))
  const small = await chain.transact((dio) => dio.store({ text: 'short' }, { type: Note }))
  await chain.close()
  await using without = await open()
  t.strictSame(Uint8Array.from((await without.dio().load(Blob, blob.key)).bytes), noise)
  t.equal((await without.dio().load(Note, small.key)).text, 'short')
})

await t.test('transformers are undone in the reverse order, by what the object names', async (t) => {
  const { open } = place()
  const [a, b] = [tail('a', 1), tail('b', 2)]
  let key
  {
    await using chain = await open(using(a, b))
    key = (await chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }))).key
  }
  await using chain = await open(using(b, a))
  const dio = chain.dioMut()
  const note = await dio.load(Note, key)
  t.equal(note.text, 'x')
  await dio.commit()
  t.equal((await chain.dio().info(key))?.revision, 1, 'an object that was only read is not stored again')
  ;(await dio.load(Note, key)).text = 'y'
  await dio.commit()
  t.equal((await chain.dio().load(Note, key)).text, 'y')
})

await t.test('objects with a read rule are transformed before they are sealed', async (t) => {
  const readKey = generateReadKey()
  const session = new AteSession({ readKeys: [readKey] })
  const { open } = place()
  await using chain = await open([compression()])
  const { key } = await chain.transact(
    (dio) => {
      const note = dio.store({ text }, { type: Note })
      dio.protect(note, { read: readBy.only(readKey) })
      return note
    },
    { session },
  )
  t.equal((await chain.dio(session).load(Note, key)).text, text)
  await t.rejects(chain.dio().load(Note, key), { code: 'NO_READ_KEY' })
})

await t.test('what a transformer makes of a bomb is bounded', async (t) => {
  const { deflateRawSync } = await import('node:zlib')
  const bomb = deflateRawSync(new Uint8Array(64 * 1024 * 1024))
  const { transformers } = new Hooks([compression()])
  const before = process.memoryUsage().arrayBuffers
  t.throws(() => transformers.undo(bomb, { ids: ['deflate'], length: 1000 }), { code: 'HOOK_FAILED' })
  t.throws(() => transformers.undo(bomb, { ids: ['deflate'], length: MAX_OBJECT_BYTES }), { code: 'HOOK_FAILED' })
  t.ok(process.memoryUsage().arrayBuffers - before < 48 * 1024 * 1024)
})

await t.test('a transformer that fails, lies or grows keeps the commit from being made', async (t) => {
  const same = (bytes: Uint8Array): Uint8Array => bytes
  const wrong: Transformer[] = [
    {
      id: 'throws',
      encode: () => {
        throw new Error('no')
      },
      decode: same,
    },
    { id: 'text', encode: () => 'text' as unknown as Uint8Array, decode: same },
    { id: 'grows', encode: (bytes) => new Uint8Array(bytes.length + 1025), decode: same },
  ]
  for (const transformer of wrong) {
    await using chain = await memoryChain({}, using(transformer))
    const dio = chain.dioMut()
    const { key } = dio.store({ text: 'x' }, { type: Note })
    await t.rejects(dio.commit(), { code: 'HOOK_FAILED', message: new RegExp(transformer.id) })
    t.notOk(await chain.dio().exists(key))
  }
  const longer = new Hooks(using({ id: 'longer', encode: same, decode: (bytes) => new Uint8Array(bytes.length + 1) }))
  t.throws(() => longer.transformers.undo(new Uint8Array(5), { ids: ['longer'], length: 5 }), { code: 'HOOK_FAILED' })
  t.throws(() => longer.transformers.undo(new Uint8Array(5), { ids: ['longer'], length: 9 }), { code: 'HOOK_FAILED' })
})

await t.test('ids of transformers are short words, each once', async (t) => {
  for (const ids of [[''], ['two words'], ['x'.repeat(33)], ['a', 'a'], Array.from({ length: 9 }, (_, i) => `t${i}`)])
    t.throws(() => new Hooks(using(...ids.map((id) => tail(id, 1)))), { code: 'BAD_ARGUMENT' })
})

const record: ObjectRecord = {
  createdAt: 1,
  updatedAt: 2,
  revision: 3,
  parent: undefined,
  type: 'Note',
  links: new Map(),
  indexed: [5],
  rules: undefined,
  sealedBy: undefined,
  labels: new Map([
    ['author', 'ann'],
    ['state', 'draft'],
  ]),
  transforms: { ids: ['deflate', 'other'], length: 300 },
  data: Uint8Array.of(1, 2, 3),
}

await t.test(
  'the record of an object with labels and transformers is read as it was written, and only in one spelling',
  async (t) => {
    t.strictSame(decodeObject(encodeObject(record)), record)
    const samples = [
      record,
      { ...record, labels: new Map<string, string>() },
      { ...record, transforms: undefined },
    ].map((one) => encodeObject(one))
    const changed = fc
      .tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }), fc.nat(10))
      .map(([sample, changes, cut]) => {
        const bytes = Uint8Array.from(sample.subarray(0, sample.length - cut))
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return bytes
      })
    let taken = 0
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        let decoded
        try {
          decoded = decodeObject(bytes)
        } catch (error) {
          return ['BAD_FORMAT', 'UNSUPPORTED_FORMAT'].includes(errorCode(error) ?? '')
        }
        taken++
        // Links that come twice under one name, and the words 0 and 1 of weak ones, have had other spellings from the beginning.
        return decoded === undefined || decoded.links.size > 0 || Buffer.compare(encodeObject(decoded), bytes) === 0
      }),
      { seed: 5, numRuns: 20_000 },
    )
    t.ok(taken > 100, `${taken} were taken`)
  },
)

await t.test('a feature of objects that this program does not know refuses the object', async (t) => {
  const bytes = encodeObject(record)
  bytes[1] = (bytes[1] ?? 0) | 128
  t.throws(() => decodeObject(bytes), { code: 'UNSUPPORTED_FORMAT' })
})

await t.test('fields of nearly 16 MiB are stored and read where they are sealed and transformed', async (t) => {
  const readKey = generateReadKey()
  const session = new AteSession({ readKeys: [readKey] })
  await using chain = await memoryChain({}, using(tail('large', 7)))
  const bytes = new Uint8Array(MAX_OBJECT_BYTES - 20)
  const { key } = await chain.transact(
    (dio) => {
      const blob = dio.store({ bytes }, { type: Blob })
      dio.protect(blob, { read: readBy.only(readKey) })
      return blob
    },
    { session },
  )
  t.equal((await chain.dio(session).load(Blob, key)).bytes.length, bytes.length)
})
