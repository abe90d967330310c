/** What honest programs commit to a chain of distributed trust is taken by everybody who reads it from its log alone. */
import t, { type Test } from 'tap'
import type { Chain } from '../../../src/engine/dio/chain.js'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import { errorCode } from '../../../src/engine/error.js'
import { ReadKey, WriteKey } from '../../../src/engine/trust/keys.js'
import { readBy, writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { crypto, Distributed } from '../../helpers/distributed.js'
import { Box, collected, Item, Note } from '../../helpers/objects.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const [root, alice, bob] = [keyOf(1), keyOf(2), keyOf(3)]
const [one, other] = [ReadKey.generate(crypto), ReadKey.generate(crypto)]
const everything = new AteSession({ writeKeys: [root, alice, bob], readKeys: [one, other] })

function keyOf(seed: number): WriteKey {
  return WriteKey.fromSeed(crypto, new Uint8Array(64).fill(seed))
}

/** All there is, as somebody who holds all keys sees it. */
async function contentsOf(chain: Chain): Promise<unknown> {
  const dio = chain.dio(everything)
  const shown: unknown[] = []
  for (const box of await collected(dio.roots(Box))) {
    const items = (await collected(box.items)).map(({ key, name, amount }) => [key, name, amount])
    const notes = (await collected(box.notes)).map(([name, { key, text }]) => [name, key, text]).sort()
    shown.push([box.key, box.label, items, notes, (await box.cover.load())?.text])
  }
  for (const item of await collected(dio.roots(Item))) shown.push([item.key, item.name])
  return shown.sort()
}

async function isTakenByAll(t: Test, ledger: Distributed, expected: unknown): Promise<void> {
  await ledger.use(async (chain, { refused }) => {
    t.strictSame(refused, [])
    t.strictSame(await contentsOf(chain), expected)
  })
}

async function pick<T>(random: () => number, from: readonly T[]): Promise<T> {
  const chosen = from[Math.floor(random() * from.length)]
  if (chosen === undefined) throw new Error('nothing to choose from')
  return chosen
}

type Step = (dio: DioMut, random: () => number, number: number) => Promise<unknown>

const STEPS: readonly Step[] = [
  async (dio, random, number) => {
    const box = dio.store({ label: `box ${number}` }, { type: Box })
    if (random() < 0.5) dio.protect(box, { write: writeBy.only(random() < 0.5 ? alice : bob) })
    if (random() < 0.5) dio.protect(box, { read: readBy.only(one) })
  },
  async (dio, random, number) => (await aBox(dio, random)).items.push({ name: `item ${number % 3}`, amount: number }),
  async (dio, random, number) => (await aBox(dio, random)).items.insert(0, { name: `first ${number}`, amount: number }),
  async (dio, random, number) =>
    (await aBox(dio, random)).notes.set(`note ${number % 4}`, { text: 'x'.repeat(random() < 0.3 ? 9000 : 9) }),
  async (dio, random, number) => (await aBox(dio, random)).cover.store({ text: `cover ${number}` }),
  async (dio, random, number) => void ((await anItem(dio, random)).amount = number),
  async (dio, random) => (await aBox(dio, random)).items.attach(await anItem(dio, random)),
  async (dio, random) => dio.detach(await anItem(dio, random)),
  async (dio, random) => dio.delete(await aBox(dio, random), { children: random() < 0.5 ? 'delete' : 'detach' }),
  async (dio, random) => dio.delete(await anItem(dio, random)),
  async (dio, random) => (await aBox(dio, random)).notes.delete('note 1'),
  async (dio, random) => dio.protect(await aBox(dio, random), { read: readBy.only(one, other) }),
  async (dio, random) => dio.protect(await aBox(dio, random), { read: readBy.only(other) }),
  async (dio, random) => dio.protect(await aBox(dio, random), { read: readBy.everyone, write: writeBy.only(root) }),
  async (dio, random, number) => {
    const { key } = await anItem(dio, random)
    dio.delete(key)
    dio.store({ name: 'again', amount: number }, { type: Item, key })
  },
]

async function aBox(dio: DioMut, random: () => number) {
  return pick(random, await collected(dio.roots(Box)))
}

async function anItem(dio: DioMut, random: () => number) {
  const box = await aBox(dio, random)
  return pick(random, [...(await collected(box.items)), ...(await collected(dio.roots(Item)))])
}

for (const seed of [1, 2])
  await t.test(`transactions of all kinds are taken (seed ${seed})`, async (t) => {
    const random = seededRandom(seed)
    const ledger = new Distributed()
    let committed = 0
    const expected = await ledger.use(async (chain) => {
      await chain.pinRootKeys([root.id])
      await chain.transact((dio) => dio.store({ label: 'first' }, { type: Box }), { session: everything })
      for (let number = 0; number < 100; number++) {
        const dio = chain.dioMut(everything)
        try {
          for (let left = 1 + random() * 3; left > 0; left--) await (await pick(random, STEPS))(dio, random, number)
          await dio.commit()
          committed++
        } catch (error) {
          // There was nothing to choose from, or it was protected for good.
          if (errorCode(error) === undefined && !/nothing to choose/.test(String(error))) throw error
        }
      }
      return contentsOf(chain)
    })
    t.ok(committed > 30, `${committed} were committed`)
    await isTakenByAll(t, ledger, expected)
  })

await t.test('commits under way together are signed together, and taken one by one', async (t) => {
  const ledger = new Distributed()
  const expected = await ledger.use(async (chain) => {
    await chain.pinRootKeys([root.id])
    const dio = chain.dioMut(everything)
    const of = (key: WriteKey) => {
      const box = dio.store({ label: key.id }, { type: Box })
      dio.protect(box, { write: writeBy.only(key) })
      return box.key
    }
    const [first, second] = [of(alice), of(bob)]
    await dio.commit()
    const commits = Array.from({ length: 30 }, (_, i) =>
      chain.transact(
        async (dio) => (await dio.load(Box, i % 2 === 0 ? first : second)).items.push({ name: `${i}`, amount: i }),
        {
          session: new AteSession({ writeKeys: [i % 2 === 0 ? alice : bob] }),
        },
      ),
    )
    await Promise.all(commits)
    return contentsOf(chain)
  })
  await isTakenByAll(t, ledger, expected)
})

await t.test('queues work where everybody may write', async (t) => {
  const ledger = new Distributed()
  await ledger.use(async (chain) => {
    const queue = await chain.queue('jobs', Note)
    for (const text of ['a', 'b', 'c']) await queue.send({ text })
    const end = new AbortController()
    let handled = 0
    const handle = (): void => {
      if (++handled === 3) end.abort()
    }
    await queue.process(handle, { signal: end.signal })
    t.equal(handled, 3)
  })
  await ledger.use(async (_, { refused }) => t.strictSame(refused, []))
})

await t.test(
  'the state that batches are judged on is whole when it is larger than what is kept in memory',
  async (t) => {
    const ledger = new Distributed()
    const expected = await ledger.use(async (chain) => {
      await chain.pinRootKeys([root.id])
      const dio = chain.dioMut(everything)
      const box = dio.store({ label: 'large' }, { type: Box })
      await dio.commit()
      for (let from = 0; from < 7000; from += 1000)
        await chain.transact(
          async (dio) => {
            const { notes } = await dio.load(Box, box.key)
            for (let i = from; i < from + 1000; i++) notes.set(`${i}`.padEnd(900, '.'), { text: `${i}` })
          },
          { session: everything },
        )
      await chain.transact(
        async (dio) => {
          const { notes } = await dio.load(Box, box.key)
          for (const i of [0, 3500, 6999]) await notes.delete(`${i}`.padEnd(900, '.'))
        },
        { session: everything },
      )
      return contentsOf(chain)
    })
    await isTakenByAll(t, ledger, expected)
  },
)

await t.test('who has lost his right writes too late: his batch is refused, where it lies', async (t) => {
  const ledger = new Distributed()
  const key = await ledger.use(async (chain) => {
    await chain.pinRootKeys([root.id])
    const dio = chain.dioMut(everything)
    const box = dio.store({ label: 'of Alice' }, { type: Box })
    dio.protect(box, { write: writeBy.only(alice) })
    await dio.commit()
    dio.protect(await dio.load(Box, box.key), { write: writeBy.only(bob) })
    await dio.commit()
    return box.key
  })
  await ledger.lawless(async (dio) => void ((await dio.load(Box, key)).label = 'still of Alice'), alice)
  await ledger.use(async (chain, { refused }) => {
    t.strictSame(refused, [{ sequence: 4, code: 'NOT_AUTHORIZED', signers: [alice.id] }])
    t.equal((await chain.dio().load(Box, key)).label, 'of Alice')
  })
})
