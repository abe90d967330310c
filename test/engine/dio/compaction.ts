/**
 * A compaction changes nothing that a reader sees: whatever objects are stored, changed, deleted, listened to and reopened
 * around compactions, all of them, and every older state that somebody still reads, are as a model says.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { collectGarbage } from '../../../src/adapters/node/collect-garbage.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { Chain } from '../../../src/engine/dio/chain.js'
import type { Dio } from '../../../src/engine/dio/dio.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { keyOf } from '../../../src/engine/dio/dao-state.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { judgeBatch } from '../../../src/engine/dio/judging/judge-batch.js'
import { findReferences } from '../../../src/engine/dio/references.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import type { ChainTrust } from '../../../src/engine/log/types.js'
import { firstFinding } from '../../helpers/body-chain.js'
import { keys } from '../../helpers/log-workbench.js'
import { Note } from '../../helpers/objects.js'

const Shelf = dataType('Shelf', plain<{ label: string }>(), { links: { notes: vecOf(Note) } })

type Texts = Map<ObjectKey, string>

const sizes = fc.constantFrom(10, 300, 2000, 11_000, 30_000, 90_000)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('store' as const), size: sizes }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('store many' as const), size: fc.integer({ min: 300, max: 3000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('change' as const), which: fc.nat(999), size: sizes }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(999) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush the index' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('compact' as const), turns: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look away' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), withIndex: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

class World {
  readonly trust: ChainTrust
  readonly storage = new MemoryStorage()
  store = new MemoryStore()
  texts: Texts = new Map()
  dropped = 0
  deferred = 0
  /** Older states that are read. */
  seen: { dio: Dio; texts: Texts }[] = []
  #count = 0
  #under: MemoryChain | undefined
  #chain: Chain | undefined
  readonly #compactions: Promise<void>[] = []

  constructor(trust: ChainTrust) {
    this.trust = trust
  }

  async open(): Promise<void> {
    const { storage, store, trust } = this
    const opened = await openMemoryChain({
      crypto: nativeCrypto,
      keys,
      storage,
      store,
      trust,
      judge: judgeBatch,
      onRefused: ({ error }) => {
        throw error
      },
      findReferences,
      segmentBytes: 100_000,
      collectGarbage,
      readers: { pollMs: 1, limitMs: 3 },
    })
    const { view } = opened
    this.#under = opened
    this.#chain = new Chain({
      name: 'test',
      view,
      crypto: nativeCrypto,
      nowMs: Date.now,
      durability: 'memory',
      trust,
      compact: () => view.compact(),
      onClose: () => opened.close(),
    })
  }

  get chain(): Chain {
    if (this.#chain === undefined) throw new Error('not open')
    return this.#chain
  }

  async close(): Promise<void> {
    await Promise.all(this.#compactions)
    this.seen = []
    await this.chain.close()
  }

  async do(one: Step): Promise<void> {
    switch (one.kind) {
      case 'store': {
        const text = this.#text(one.size)
        this.texts.set((await this.chain.transact((dio) => dio.store({ text }, { type: Note }))).key, text)
        return
      }
      case 'store many': {
        const texts = Array.from({ length: 8 }, () => this.#text(one.size))
        const stored = await this.chain.transact((dio) => texts.map((text) => dio.store({ text }, { type: Note })))
        stored.forEach(({ key, text }) => this.texts.set(key, text))
        return
      }
      case 'change': {
        const key = this.#pick(one.which)
        if (key === undefined) return
        const text = this.#text(one.size)
        await this.chain.transact(async (dio) => void ((await dio.load(Note, key)).text = text))
        this.texts.set(key, text)
        return
      }
      case 'delete': {
        const key = this.#pick(one.which)
        if (key === undefined) return
        await this.chain.transact((dio) => dio.delete(key))
        this.texts.delete(key)
        return
      }
      case 'flush the index':
        this.#under?.writer.flushIndex()
        return
      case 'compact':
        this.#compactions.push(this.#compact())
        for (let turn = 0; turn < one.turns; turn++) await nextTurn()
        return
      case 'look':
        this.seen.push({ dio: this.chain.dio(), texts: new Map(this.texts) })
        return
      case 'look away':
        this.seen.shift()
        return
      case 'reopen':
        await this.close()
        if (!one.withIndex) this.store = new MemoryStore()
        await this.open()
        return
      default:
        one satisfies never
    }
  }

  async #compact(): Promise<void> {
    const { bodies, isDeferred } = await this.chain.compact()
    this.dropped += bodies
    if (isDeferred) this.deferred++
  }

  /** Everything that can be read is as it must be. */
  async check(): Promise<void> {
    for (const { dio, texts } of [...this.seen, { dio: this.chain.dio(), texts: this.texts }]) {
      const found = [...dio.rootKeys(Note)].sort()
      if (found.join() !== [...texts.keys()].sort().join()) throw new Error('there are other objects')
      for (const [key, text] of texts)
        if ((await dio.load(Note, key)).text !== text) throw new Error('an object has other fields')
    }
  }

  #text(size: number): string {
    return `${++this.#count} `.padEnd(size, 'abcdefg')
  }

  #pick(which: number): ObjectKey | undefined {
    return [...this.texts.keys()][which % Math.max(1, this.texts.size)]
  }
}

const TRUSTS: readonly ChainTrust[] = ['local', 'distributed']
for (const trust of TRUSTS)
  await t.test(`${trust} trust: objects and older states read as before, whatever happens around compactions`, (t) =>
    unchanged(t, trust),
  )

async function unchanged(t: Test, trust: ChainTrust): Promise<void> {
  let dropped = 0
  let deferred = 0
  const property = fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 120 }), async (steps) => {
    const world = new World(trust)
    await world.open()
    for (const one of steps) {
      await world.do(one)
      if (one.kind === 'compact' || one.kind === 'reopen') await world.check()
    }
    await world.do({ kind: 'reopen', withIndex: true })
    await world.do({ kind: 'compact', turns: 0 })
    await world.check()
    await world.do({ kind: 'reopen', withIndex: false })
    await world.check()
    await world.close()
    const finding = await firstFinding(world.storage)
    if (finding !== undefined) throw new Error(finding)
    dropped += world.dropped
    deferred += world.deferred
  })
  const numRuns = process.env['ATEFS_TEST_LONG'] === undefined ? 20 : 1000
  await fc.assert(property, { seed: 20261121, numRuns })
  t.ok(dropped > 100, `${dropped} bodies were dropped`)
  t.ok(deferred > 0, `${deferred} compactions left something to somebody who read it`)
}

await t.test(
  'what a transaction had moved, unread, before its body was emptied is there after its commit',
  async (t) => {
    const world = new World('local')
    await world.open()
    const { chain } = world
    const text = (n: number): string => `${n} `.padEnd(1400, 'fields')
    const children = await chain.transact((dio) => {
      const shelf = dio.store({ label: 'all' }, { type: Shelf })
      return [1, 2, 3, 4, 5, 6, 7, 8].map((n) => keyOf(shelf.notes.push({ text: text(n) })))
    })
    for (let i = 0; i < 3; i++) await world.do({ kind: 'store', size: 90_000 })
    await chain.transact((dio) => children.slice(1).forEach((key) => dio.delete(key)))
    await world.do({ kind: 'flush the index' })
    const [child] = children
    if (child === undefined) throw new Error('no child')
    const dio = chain.dioMut()
    dio.detach(child)
    await chain.compact()
    await dio.commit()
    await chain.compact()
    await world.do({ kind: 'reopen', withIndex: true })
    t.equal((await world.chain.dio().load(Note, child)).text, text(1))
    await world.close()
  },
)
