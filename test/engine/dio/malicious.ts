/**
 * A writer who has the key of a chain of distributed trust, and not the write keys of what he changes: one test per attack
 * on the original system. Every one is refused as a whole with its code, changes nothing, and is told; what was there stays.
 */
import t, { type Test } from 'tap'
import { ReadKey, WriteKey } from '../../../src/engine/trust/keys.js'
import { readBy, writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import type { RecordView } from '../../../src/engine/chain/record-view.js'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import { encodeChildren } from '../../../src/engine/dio/collection-record.js'
import {
  ACCESS_KEY_KIND,
  CHILD_KIND,
  CLOCK_KIND,
  COLLECTION_KIND,
  FIELD_INDEX_KIND,
  KEY_BLOCK_KIND,
  OBJECT_KIND,
  TRUST_KIND,
} from '../../../src/engine/dio/kinds.js'
import { type ObjectKey, parseKey } from '../../../src/engine/dio/object-key.js'
import { decodeObject, encodeObject, type ObjectRecord, TOMBSTONE } from '../../../src/engine/dio/object-record.js'
import { encodeRootKeys } from '../../../src/engine/dio/rule-record.js'
import { encodeClock, latestAfter } from '../../../src/engine/dio/hybrid-clock.js'
import { openLog } from '../../../src/engine/log/index.js'
import { GROUP_CONTENT } from '../../../src/engine/log/types.js'
import { BODY_PLACE_KIND } from '../../../src/engine/chain/body-place.js'
import { crypto, Distributed, rewrite } from '../../helpers/distributed.js'
import { Box, collected, Item, Note } from '../../helpers/objects.js'

const [root, alice, mallory] = [keyOf(1), keyOf(2), keyOf(3)]
const secret = ReadKey.generate(crypto)
const everything = new AteSession({ writeKeys: [root, alice], readKeys: [secret] })

function keyOf(seed: number): WriteKey {
  return WriteKey.fromSeed(crypto, new Uint8Array(64).fill(seed))
}

/** Its root keys, its objects, and a deletion. */
const LEDGER_BATCHES = 3

/** A chain of the root key's, in which Alice has two boxes (`safe` sealed), and Mallory one. */
class Ledger extends Distributed {
  safe = '' as ObjectKey
  box = '' as ObjectKey
  gold = '' as ObjectKey
  letter = '' as ObjectKey
  his = '' as ObjectKey
  /** Deleted. */
  dead = '' as ObjectKey

  static async make(): Promise<Ledger> {
    const ledger = new Ledger()
    await ledger.use(async (chain) => {
      await chain.pinRootKeys([root.id])
      const dio = chain.dioMut(everything)
      const safe = dio.store({ label: 'safe' }, { type: Box })
      ledger.letter = safe.notes.set('letter', { text: 'for Alice' }).key
      dio.protect(safe, { read: readBy.only(secret), write: writeBy.only(alice) })
      const box = dio.store({ label: 'box' }, { type: Box })
      ledger.gold = box.items.push({ name: 'gold', amount: 7 }).key
      dio.protect(box, { write: writeBy.only(alice) })
      const his = dio.store({ label: 'his' }, { type: Box })
      dio.protect(his, { write: writeBy.only(mallory) })
      const dead = dio.store({ text: 'dead' }, { type: Note })
      dio.protect(dead, { write: writeBy.only(alice) })
      await dio.commit()
      dio.delete(dead.key)
      await dio.commit()
      Object.assign(ledger, { safe: safe.key, box: box.key, his: his.key, dead: dead.key })
    })
    return ledger
  }

  /** What an honest reader sees of it. */
  seen(): Promise<unknown> {
    return this.use(async (chain) => {
      const dio = chain.dio(everything)
      const shown: unknown[] = []
      for (const key of [this.safe, this.box, this.his]) {
        const { label, items, notes } = await dio.load(Box, key)
        const held: unknown[] = []
        for await (const { name, amount } of items) held.push([name, amount])
        for await (const [name, { text }] of notes) held.push([name, text])
        shown.push([label, held])
      }
      shown.push([...dio.rootKeys()].sort(), await dio.exists(this.dead))
      shown.push((await collected(dio.find(Item, 'name', 'gold'))).map(({ key }) => key))
      return shown
    })
  }
}

function attack(
  name: string,
  code: string,
  work: (ledger: Ledger) => Promise<void>,
  signers: readonly WriteKey[] = [mallory],
): void {
  void t.test(name, async (t) => {
    const ledger = await Ledger.make()
    const before = await ledger.seen()
    await work(ledger)
    await ledger.use(async (_, { refused }) => {
      t.strictSame(refused, [{ sequence: LEDGER_BATCHES + 1, code, signers: signers.map(({ id }) => id) }])
    })
    t.strictSame(await ledger.seen(), before, 'nothing of it counts')
    await stillWorks(t, ledger)
  })
}

async function stillWorks(t: Test, ledger: Ledger): Promise<void> {
  await ledger.use(async (chain) => {
    await chain.transact(async (dio) => void ((await dio.load(Box, ledger.box)).label = 'after'), {
      session: everything,
    })
  })
  await ledger.use(async (chain, { refused }) => {
    t.equal(refused.length, 1, 'what comes behind it is not refused with it')
    t.equal((await chain.dio().load(Box, ledger.box)).label, 'after')
  })
}

const lawless =
  (work: (dio: DioMut, ledger: Ledger) => Promise<unknown>, ...keys: WriteKey[]) =>
  (ledger: Ledger): Promise<void> =>
    ledger.lawless((dio) => work(dio, ledger), ...(keys.length === 0 ? [mallory] : keys))

const raw =
  (work: (view: RecordView, ledger: Ledger) => unknown, ...keys: WriteKey[]) =>
  (ledger: Ledger): Promise<void> =>
    ledger.raw((view) => work(view, ledger), ...(keys.length === 0 ? [mallory] : keys))

function objectIn(view: RecordView, key: ObjectKey): ObjectRecord {
  const { high, low } = parseKey(key)
  const record = decodeObject(view.get(OBJECT_KIND, high, low) ?? new Uint8Array(0))
  if (record === undefined) throw new Error('no such object')
  return record
}

function collectionOf(view: RecordView, key: ObjectKey, name: string): number {
  const link = objectIn(view, key).links.get(name)
  if (link?.kind !== 'collection') throw new Error('no such collection')
  return link.collection
}

// Defect 2: authority is taken from what a change says of itself.
attack(
  're-parenting: a child of somebody else is moved below an object of one’s own',
  'NOT_AUTHORIZED',
  lawless(async (dio, { his, gold }) => (await dio.load(Box, his)).items.attach(await dio.load(Item, gold))),
)
attack(
  're-parenting: an object of one’s own is moved below somebody else’s',
  'NOT_AUTHORIZED',
  lawless(async (dio, { his, box }) => {
    const mine = (await dio.load(Box, his)).items.push({ name: 'lead', amount: 1 })
    ;(await dio.load(Box, box)).items.attach(mine)
  }),
)
attack(
  're-parenting: a child that says it is one’s own lies in the collection of somebody else',
  'BAD_FORMAT',
  raw((view, { his, box }) => {
    const key = parseKey(his)
    const collection = collectionOf(view, box, 'items')
    const record = objectIn(view, his)
    const parent = { key, collection, place: 5 }
    const links = new Map()
    view.put(OBJECT_KIND, 77, 78, encodeObject({ ...record, revision: 1, rules: undefined, links, parent }))
    view.put(CHILD_KIND, collection, 5, encodeChildren([{ name: '', key: { high: 77, low: 78 } }]))
  }),
)
attack(
  'a protected object is changed without its write key',
  'NOT_AUTHORIZED',
  lawless(async (dio, { gold }) => void ((await dio.load(Item, gold)).amount = 0)),
)
attack(
  'a protected object is changed, and nobody signs it',
  'NOT_AUTHORIZED',
  (ledger) => ledger.raw((view) => rewrite(view, ledger.gold, { data: Uint8Array.of(128) })),
  [],
)
attack(
  'an object is put at the top without the root key',
  'NOT_AUTHORIZED',
  lawless(async (dio) => dio.store({ text: 'mine' }, { type: Note })),
)
attack(
  'a rule is loosened by who may not',
  'NOT_AUTHORIZED',
  raw((view, { box }) => rewrite(view, box, { rules: { read: { kind: 'inherit' }, write: { kind: 'everyone' } } })),
)
attack(
  'an object makes room for itself: its own new rule lets it into a place of others',
  'NOT_AUTHORIZED',
  raw((view, { box, his }) => {
    const collection = collectionOf(view, box, 'items')
    const { rules, ...record } = objectIn(view, his)
    const parent = { key: parseKey(box), collection, place: 5 }
    view.put(OBJECT_KIND, 77, 78, encodeObject({ ...record, rules, revision: 1, links: new Map(), parent }))
    view.put(CHILD_KIND, collection, 5, encodeChildren([{ name: '', key: { high: 77, low: 78 } }]))
  }),
)

// Defect 3: bodies in clear before the read key is set.
attack(
  'plaintext: what a read rule protects is overwritten in clear',
  'NOT_SEALED',
  raw((view, { letter }) => rewrite(view, letter, { sealedBy: undefined, data: Uint8Array.of(128) }), alice),
  [alice],
)
attack(
  'plaintext: a new child of a protected object comes in clear',
  'NOT_SEALED',
  raw((view, { safe }) => {
    const collection = collectionOf(view, safe, 'items')
    const record = objectIn(view, safe)
    const parent = { key: parseKey(safe), collection, place: 5 }
    const child = { ...record, revision: 1, rules: undefined, sealedBy: undefined, links: new Map(), parent }
    view.put(OBJECT_KIND, 77, 78, encodeObject({ ...child, data: Uint8Array.of(128) }))
    view.put(CHILD_KIND, collection, 5, encodeChildren([{ name: '', key: { high: 77, low: 78 } }]))
  }, alice),
  [alice],
)
attack(
  'plaintext: the index of fields tells of what is sealed',
  'NOT_SEALED',
  raw((view, { letter }) => {
    const { low } = parseKey(letter)
    rewrite(view, letter, { indexed: [99], data: new Uint8Array(80) })
    view.put(FIELD_INDEX_KIND, 99, low, encodeKeyOf(letter))
  }, alice),
  [alice],
)
attack(
  'access keys: those of somebody else are replaced, so that nobody reads any more',
  'NOT_AUTHORIZED',
  raw((view, { safe }) => {
    const read = objectIn(view, safe).rules?.read
    if (read?.kind === 'ring') view.put(ACCESS_KEY_KIND, read.ring, read.epoch, Uint8Array.of(1, 0))
  }),
)
attack(
  'access keys: an object of one’s own takes the ring of somebody else, to replace its keys',
  'NOT_AUTHORIZED',
  raw((view, { safe, his }) => {
    const read = objectIn(view, safe).rules?.read
    const rules = objectIn(view, his).rules
    if (read?.kind !== 'ring' || rules === undefined) throw new Error('no ring')
    rewrite(view, his, { rules: { ...rules, read } })
    view.put(ACCESS_KEY_KIND, read.ring, read.epoch, Uint8Array.of(1, 0))
  }),
)

// Defect 4: newer is replaced by older.
attack(
  'newer by older: a version comes that was not built on the one there is',
  'CONFLICT',
  raw((view, { his }) => rewrite(view, his, { revision: 1 })),
)
attack('newer by older: a whole signed batch is repeated', 'CONFLICT', async (ledger) => {
  await ledger.raw((view) => {
    const { high, low } = parseKey(ledger.his)
    // What its owner signed once: the record as it was.
    view.put(OBJECT_KIND, high, low, view.get(OBJECT_KIND, high, low) ?? new Uint8Array(0))
  }, mallory)
})

attack(
  'newer by older: the clock of the chain is set back',
  'CONFLICT',
  raw((view) => view.put(CLOCK_KIND, 0, 0, encodeClock(5))),
)

attack(
  'runaway: the clock of the chain is set to its end, so that nobody commits any more',
  'TIME_AHEAD',
  raw((view) => view.put(CLOCK_KIND, 0, 0, encodeClock(Number.MAX_SAFE_INTEGER))),
)
attack(
  'runaway: an object was changed at the end of time',
  'TIME_AHEAD',
  raw((view, { his }) => rewrite(view, his, { updatedAt: Number.MAX_SAFE_INTEGER })),
)
void t.test('runaway: from the latest time that a batch may bring, the chain goes on', async (t) => {
  const ledger = await Ledger.make()
  await ledger.raw((view) => view.put(CLOCK_KIND, 0, 0, encodeClock(latestAfter(0))), mallory)
  for (const label of ['once', 'twice'])
    await ledger.use(async (chain, { refused }) => {
      t.strictSame(refused, [])
      await chain.transact(async (dio) => void ((await dio.load(Box, ledger.box)).label = label), {
        session: everything,
      })
    })
  await ledger.use(async (chain, { refused }) => {
    t.strictSame(refused, [])
    t.equal((await chain.dio().load(Box, ledger.box)).label, 'twice')
  })
})

// Defect 5: batches are taken by halves.
attack(
  'half a batch: one change that may not be made refuses those that may',
  'NOT_AUTHORIZED',
  lawless(async (dio, { his, gold }) => {
    ;(await dio.load(Box, his)).label = 'changed'
    ;(await dio.load(Item, gold)).amount = 0
  }),
)

// Defect 9: validation is advice, and trust anchors come from others.
attack(
  'trust anchors: the root keys are replaced',
  'NOT_AUTHORIZED',
  raw((view) => view.put(TRUST_KIND, 0, 0, encodeRootKeys([mallory.id]))),
)
attack(
  'trust anchors: the root keys are deleted',
  'NOT_AUTHORIZED',
  raw((view) => view.delete(TRUST_KIND, 0, 0)),
)
attack(
  'trust anchors: the chain is told to have no rules',
  'NOT_AUTHORIZED',
  raw((view) => view.delete(TRUST_KIND, 0, 1)),
)

// Defect 11: tombstones come alive, children are left behind.
attack(
  'resurrection: a deleted object comes back',
  'ALREADY_DELETED',
  raw(
    (view, { dead, box }) => {
      const { high, low } = parseKey(dead)
      const record = objectIn(view, box)
      view.put(OBJECT_KIND, high, low, encodeObject({ ...record, revision: 2, links: new Map() }))
    },
    alice,
    root,
  ),
  [alice, root],
)
attack(
  'resurrection: a tombstone is taken away',
  'ALREADY_DELETED',
  raw((view, { dead }) => {
    const { high, low } = parseKey(dead)
    view.delete(OBJECT_KIND, high, low)
  }, root),
  [root],
)
attack(
  'resurrection: a protected object is deleted without a tombstone, so that another can take its place',
  'BAD_FORMAT',
  raw((view, { gold, box }) => {
    const { high, low } = parseKey(gold)
    const { parent, indexed } = objectIn(view, gold)
    view.delete(OBJECT_KIND, high, low)
    view.delete(CHILD_KIND, collectionOf(view, box, 'items'), parent?.place ?? 0)
    for (const place of indexed) view.delete(FIELD_INDEX_KIND, place, low)
  }, alice),
  [alice],
)
attack(
  'resurrection: a tombstone where nothing was keeps a name from others',
  'BAD_FORMAT',
  raw((view) => view.put(OBJECT_KIND, 5, 6, TOMBSTONE)),
)
attack(
  'orphans: a parent is deleted, and its children are not',
  'PARENT_NOT_FOUND',
  raw((view, { box }) => {
    const { high, low } = parseKey(box)
    for (const name of ['items', 'notes', 'cover']) view.delete(COLLECTION_KIND, collectionOf(view, box, name), 0)
    view.put(OBJECT_KIND, high, low, TOMBSTONE)
  }, alice),
  [alice],
)
attack(
  'orphans: an object lies below one that is not there',
  'PARENT_NOT_FOUND',
  raw((view, { his }) => {
    const parent = { key: { high: 1, low: 2 }, collection: 3, place: 4 }
    rewrite(view, his, { parent })
  }, mallory),
)
attack(
  'cycles: two objects lie below each other',
  'CYCLE',
  raw((view, { his }) => {
    const record = { ...objectIn(view, his), revision: 1, rules: undefined, links: new Map() }
    const [a, b] = [
      { high: 71, low: 1 },
      { high: 71, low: 2 },
    ]
    view.put(OBJECT_KIND, a.high, a.low, encodeObject({ ...record, parent: { key: b, collection: 1, place: 1 } }))
    view.put(OBJECT_KIND, b.high, b.low, encodeObject({ ...record, parent: { key: a, collection: 2, place: 1 } }))
  }),
)

attack(
  'a signature of somebody else is made up',
  'BAD_SIGNATURE',
  (ledger) => {
    const forged = { signing: { ...mallory.signing, publicKey: alice.signing.publicKey } }
    return ledger.raw((view) => rewrite(view, ledger.gold, { data: Uint8Array.of(128) }), forged)
  },
  [],
)

// What finds objects says what they say.
attack(
  'hiding: an entry of a collection is taken away, and its object is not',
  'BAD_FORMAT',
  raw((view, { gold }) => {
    const { parent } = objectIn(view, gold)
    view.delete(CHILD_KIND, parent?.collection ?? 0, parent?.place ?? 0)
  }),
)
attack(
  'hiding: a block of roots is taken away',
  'BAD_FORMAT',
  raw((view, { box }) => view.delete(KEY_BLOCK_KIND, 0, parseKey(box).high)),
)
attack(
  'hiding: an object is taken from the index of fields',
  'BAD_FORMAT',
  raw((view, { gold }) => {
    const { low } = parseKey(gold)
    for (const place of objectIn(view, gold).indexed) view.delete(FIELD_INDEX_KIND, place, low)
  }),
)
attack(
  'hiding: a range of records is deleted at once',
  'BAD_FORMAT',
  raw((view) => view.deleteRange(OBJECT_KIND, 1, 0, 1)),
)
attack('content: a body of one’s own is given the number of somebody else’s', 'CONFLICT', async ({ storage, keys }) => {
  // 3 and above: the first two batches have used what is below.
  const { log } = await openLog({ storage, crypto, keys, clock: Date.now, readOnly: false, onBatch: () => undefined })
  const group = { kind: GROUP_CONTENT, number: 900, parts: [new Uint8Array(9)] } as const
  await log.append([{ groups: [group, group], signers: [mallory.signing] }])
  await log.close()
})
attack(
  'content: the place of a body is put by hand',
  'BAD_FORMAT',
  raw((view) => view.put(BODY_PLACE_KIND, 0, 1, new Uint8Array(90))),
)

function encodeKeyOf(key: ObjectKey): Uint8Array {
  const bytes = new Uint8Array(17)
  const view = new DataView(bytes.buffer)
  const { high, low } = parseKey(key)
  bytes[0] = 1
  view.setBigUint64(1, BigInt(high), true)
  view.setBigUint64(9, BigInt(low), true)
  return bytes
}
