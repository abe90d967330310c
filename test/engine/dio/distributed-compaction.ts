/**
 * Chains of distributed trust give back the space of what nothing refers to. Who follows judges every drop; what somebody drops who has
 * the key of the chain, and other code, counts for nobody when anything still needs it.
 */
import t, { type Test } from 'tap'
import { ChangeStreamWriter } from '../../../src/engine/chain/change-stream.js'
import { encodeClock } from '../../../src/engine/dio/hybrid-clock.js'
import { CLOCK_KIND } from '../../../src/engine/dio/kinds.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { freeDropped } from '../../../src/engine/chain/compaction/free-dropped.js'
import { encodeForget } from '../../../src/engine/log/format/forget-format.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import type { Finding } from '../../../src/engine/log/types.js'
import { segmentName } from '../../../src/engine/log/format/segment-name.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import {
  DROP_NUMBER,
  GROUP_CONTENT,
  GROUP_FORGET,
  GROUP_RECORDS,
  type GroupDraft,
  type NumberRange,
} from '../../../src/engine/log/types.js'
import { WriteKey } from '../../../src/engine/trust/keys.js'
import { writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { type VerifiedBatch, verifyAuthors } from '../../../src/library/authors.js'
import { crypto, Distributed, type Opened, runsOf } from '../../helpers/distributed.js'
import { Note } from '../../helpers/objects.js'

const alice = keyOf(1)
const NOTES = 8

function keyOf(seed: number): WriteKey {
  return WriteKey.fromSeed(crypto, new Uint8Array(64).fill(seed))
}

function text(note: number): string {
  return `${note} `.padEnd(20_000, 'letters')
}

interface Library {
  ledger: Distributed
  storage: MemoryStorage
  /** Of all notes; those with even numbers are deleted. */
  keys: ObjectKey[]
  bodies: number[]
}

/** Notes that Alice protects and signs, half of them deleted, in segments that are closed. */
async function library(): Promise<Library> {
  const storage = new MemoryStorage()
  const ledger = new Distributed(undefined, storage)
  return await ledger.use(async (chain, opened) => {
    const keys: ObjectKey[] = []
    for (let note = 0; note < NOTES; note++) {
      const dio = chain.dioMut(new AteSession({ writeKeys: [alice] }))
      const { key } = dio.store({ text: text(note) }, { type: Note })
      dio.protect(await dio.load(Note, key), { write: writeBy.only(alice) })
      await dio.commit()
      keys.push(key)
    }
    const bodies = placed(opened)
    const dio = chain.dioMut(new AteSession({ writeKeys: [alice] }))
    for (let note = 0; note < NOTES; note += 2) dio.delete(keyAt(keys, note))
    await dio.commit()
    await opened.view.rotate()
    return { ledger, storage, keys, bodies }
  })
}

function keyAt(keys: readonly ObjectKey[], note: number): ObjectKey {
  const key = keys[note]
  if (key === undefined) throw new Error('no such note')
  return key
}

function placed({ view }: Pick<Opened, 'view'>): number[] {
  return Array.from({ length: 100 }, (_, i) => i + 1).filter((body) => view.hasBody(body))
}

async function demandNotes(t: Test, { chain }: Opened, keys: readonly ObjectKey[]): Promise<void> {
  for (let note = 1; note < NOTES; note += 2)
    t.ok((await chain.dio().load(Note, keyAt(keys, note))).text === text(note), `note ${note} reads as before`)
  t.equal([...chain.dio().rootKeys(Note)].length, NOTES / 2)
}

await t.test('what is deleted gives back its space, and every reader still agrees who wrote what', async (t) => {
  const { ledger, storage, keys, bodies } = await library()
  const authors = async () => await verifyAuthors((await storage.readSmall(segmentName(1), 1e9)) ?? new Uint8Array())
  const before = await authors()
  t.equal(bodies.length, NOTES)
  // Somebody who has no right to anything of Alice's.
  await ledger.use(async (chain) => {
    const { bodies, freedBytes } = await chain.compact()
    t.equal(bodies, NOTES / 2)
    t.ok(freedBytes > 40_000, `${freedBytes} bytes given back`)
    t.same(await chain.compact(), { bodies: 0, bytes: 0, freedBytes: 0, isDeferred: false }, 'once')
  })
  await ledger.use(async (_, opened) => {
    t.strictSame(opened.refused, [])
    t.equal(placed(opened).length, NOTES / 2)
    await demandNotes(t, opened, keys)
  })
  for await (const { message } of verifyLog({ storage, crypto, keys: ledger.keys })) t.fail(message)
  const after = await authors()
  const told = ({ sequence, digest, signers }: VerifiedBatch): unknown => [sequence, digest, signers]
  t.strictSame(after.map(told), before.map(told), 'the same batches by the same authors, told without any key')
  t.ok(after.some(({ isWhole }) => !isWhole))
  t.ok(after.every(({ signers }) => signers.includes(alice.id) || signers.length === 0))
})

await t.test('a copy takes in what was dropped, with its content or without, and goes on', async (t) => {
  const { ledger, keys } = await library()
  await ledger.use((chain) => chain.compact())
  const copy = new Distributed(ledger.keys)
  await copy.use(async (chain, opened) => {
    for (const run of await runsOf(ledger)) await chain.receive(run, { mayMiss: true })
    t.equal(placed(opened).length, NOTES / 2)
    await demandNotes(t, opened, keys)
    await chain.transact((dio) => dio.delete(keyAt(keys, 1)), { session: new AteSession({ writeKeys: [alice] }) })
  })
  await copy.use((_, { refused }) => Promise.resolve(t.strictSame(refused, [])))
})

type Attack = (library: Library) => Promise<void>
const one = (body = 0): NumberRange => ({ from: body, to: body })

const changes = new ChangeStreamWriter((length) => new Uint8Array(length), 1000)
changes.put(CLOCK_KIND, 0, 0, encodeClock(5))
const clockChange: GroupDraft = { kind: GROUP_RECORDS, number: 1000, parts: [...changes.finish()] }
const forgetting: GroupDraft = { kind: GROUP_FORGET, number: DROP_NUMBER, parts: [encodeForget(2)] }

const attacks: [string, string, Attack][] = [
  ['drops a body that is in use', 'BODY_IN_USE', ({ ledger, bodies }) => ledger.drops([[one(bodies[1])]])],
  [
    'drops a body that is in use among dead ones',
    'BODY_IN_USE',
    ({ ledger, bodies: [a, b, c] }) => ledger.drops([[one(a), one(b), one(c)]]),
  ],
  ['drops what was never there', 'BATCH_REFUSED', ({ ledger }) => ledger.drops([[one(10_000)]])],
  ['drops 65,536 that were never there', 'BATCH_REFUSED', ({ ledger }) => ledger.drops([[{ from: 5000, to: 70_000 }]])],
  [
    'drops more than a drop may',
    'BATCH_REFUSED',
    ({ ledger, bodies }) => ledger.drops([[one(bodies[0])], [{ from: 5000, to: 70_535 }]]),
  ],
  [
    'drops twice in one batch',
    'BATCH_REFUSED',
    ({ ledger, bodies }) => ledger.drops([[one(bodies[0])], [one(bodies[0])]]),
  ],
  [
    'drops ranges that overlap',
    'BATCH_REFUSED',
    ({ ledger, bodies: [, a = 0] }) => ledger.drops([[one(a - 2)], [{ from: a - 2, to: a }]]),
  ],
  [
    'changes something with a drop',
    'BATCH_REFUSED',
    ({ ledger, bodies }) => ledger.drops([[one(bodies[0])]], clockChange),
  ],
  ['forgets records', 'NOT_AUTHORIZED', ({ ledger }) => ledger.drops([], forgetting)],
]

for (const [name, code, attack] of attacks)
  await t.test(`a batch that ${name} is refused by everybody, and nothing is lost`, async (t) => {
    const made = await library()
    const { ledger, keys, bodies } = made
    const before = await runsOf(ledger)
    await attack(made)
    const dropping = (await ledger.batches()).at(-1)
    await ledger.use(async (chain, opened) => {
      t.strictSame(
        opened.refused.map((refused) => refused.code),
        [code],
      )
      t.strictSame(placed(opened), bodies, 'everything lies where it lay')
      await demandNotes(t, opened, keys)
      t.equal((await chain.compact()).bodies, NOTES / 2, 'an honest compaction goes on')
    })
    await ledger.use(async (_, opened) => demandNotes(t, opened, keys))
    const copy = new Distributed(ledger.keys)
    await copy.use(async (chain, opened) => {
      for (const run of before) await chain.receive(run)
      if (dropping === undefined) return t.fail()
      await t.rejects(chain.receive([dropping]), { code })
      t.strictSame(placed(opened), bodies, 'where it is received while in use')
      await demandNotes(t, opened, keys)
    })
  })

await t.test('a drop that came twice counts once', async (t) => {
  const { ledger, keys, bodies } = await library()
  await ledger.drops([[one(bodies[0])]])
  await ledger.drops([[one(bodies[0])]])
  await ledger.use(async (_, opened) => {
    t.strictSame(
      opened.refused.map(({ code }) => code),
      ['BATCH_REFUSED'],
    )
    t.strictSame(placed(opened), bodies.slice(1))
    await demandNotes(t, opened, keys)
  })
})

await t.test('numbers of content that came with a refused batch are given to nothing else', async (t) => {
  const { ledger, keys } = await library()
  const store = new MemoryStore()
  const next = await ledger.use((_, { nextGroup }) => Promise.resolve(nextGroup()), store)
  const isOver = async (number: number, why: string): Promise<void> => {
    const refused = await ledger.use((_, { nextGroup, refused }) => {
      t.equal(nextGroup(), number, `${why}: judged anew`)
      return Promise.resolve(refused.map(({ sequence }) => sequence))
    })
    t.equal(await ledger.use((_, { nextGroup }) => Promise.resolve(nextGroup()), store), number, `${why}: by an index`)
    await new Distributed(ledger.keys).use(async (_, { nextGroup, view }) => {
      for (const bytes of await ledger.batches()) {
        const run = await view.verifyRun([bytes], true)
        await view.receive(run, { isDurable: false, mayMiss: true, refused, apply: () => undefined })
      }
      t.equal(nextGroup(), number, `${why}: received`)
      t.equal(view.addBody(view.stage(1)).body, number, `${why}: received, in use`)
    })
  }
  const content = (number: number): GroupDraft => ({ kind: GROUP_CONTENT, number, parts: [new Uint8Array(10)] })
  await ledger.drops([[one(next)]], content(next))
  await isOver(next + 1, 'a body')
  await ledger.drops([[one(1)]], content(Number.MAX_SAFE_INTEGER - 1))
  await isOver(next + 1, 'a number that would leave none')
  await ledger.use(async (_, opened) => {
    t.equal(opened.refused.length, 2)
    await demandNotes(t, opened, keys)
  })
})

await t.test('content that is gone, and that only a refused batch drops, is damage', async (t) => {
  const { ledger, storage, bodies } = await library()
  const last = bodies.at(-1)
  await ledger.drops([[one(last)]])
  const dropping = (await ledger.batches()).length
  await ledger.use((_, { view }) => view.rotate())
  const { signal } = new AbortController()
  const gone = { numbers: [one(last)], before: Infinity }
  t.ok((await freeDropped({ storage, crypto, keys: ledger.keys }, gone, signal)) > 0)
  await t.rejects(ledger.open(), { code: 'CHAIN_DAMAGED' })
  const found: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys: ledger.keys, refused: new Set([dropping]) }))
    found.push(finding)
  t.match(found, [{ kind: 'group', group: last }], 'a check says the same')
})

await t.test('content of a refused batch may be gone: nothing of it is needed', async (t) => {
  const { ledger, storage, keys } = await library()
  const next = await ledger.use((_, { nextGroup }) => Promise.resolve(nextGroup()))
  const content: GroupDraft = { kind: GROUP_CONTENT, number: next, parts: [new Uint8Array(10_000)] }
  await ledger.drops([[one(next)]], content)
  await ledger.use((_, { view }) => view.rotate())
  const { signal } = new AbortController()
  const gone = { numbers: [one(next)], before: Infinity }
  t.ok((await freeDropped({ storage, crypto, keys: ledger.keys }, gone, signal)) > 0)
  await ledger.use((_, opened) => demandNotes(t, opened, keys))
  const refused = new Set([(await ledger.batches()).length])
  for await (const { message } of verifyLog({ storage, crypto, keys: ledger.keys, refused })) t.fail(message)
})
