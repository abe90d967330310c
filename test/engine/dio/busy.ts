/** Everything at once comes to an end, and to the right one: no lock, no transaction and no queue waits for ever. */
import type { Chain } from '../../../src/engine/dio/chain.js'
import type { Dao } from '../../../src/engine/dio/dao.js'
import { type DataType, dataType } from '../../../src/engine/dio/data-type.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { service } from '../../../src/engine/dio/service.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { errorCode } from '../../../src/engine/error.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { collected, Note } from '../../helpers/objects.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const Leaf = dataType('Leaf', plain<{ number: number }>())
const Branch = dataType('Branch', plain<{ moves: number }>(), { links: { leaves: vecOf(Leaf) } })
const Job = dataType('Job', plain<{ number: number }>())
const double = service('double', Job, Job)
const BRANCHES = 6
const LEAVES = 40
const RETRIES = 1000
const LIMIT_MS = 120_000

async function plant(chain: Chain): Promise<{ branches: ObjectKey[]; leaves: ObjectKey[] }> {
  return await chain.transact((dio) => {
    const branches = Array.from({ length: BRANCHES }, () => dio.store({ moves: 0 }, { type: Branch }))
    const leaves = Array.from(
      { length: LEAVES },
      (_, number) => branches[number % BRANCHES]?.leaves.push({ number }).key,
    )
    return { branches: branches.map(({ key }) => key), leaves: leaves.filter((key) => key !== undefined) }
  })
}

const pick = <T>(random: () => number, items: readonly T[]): T => {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** Moves leaves from branch to branch, counting it where they come to. */
function moves(chain: Chain, { branches, leaves }: Awaited<ReturnType<typeof plant>>, count: number): Promise<void>[] {
  const random = seededRandom(7)
  return Array.from({ length: count }, async () => {
    const [leaf, branch] = [pick(random, leaves), pick(random, branches)]
    await chain.transact(
      async (dio) => {
        const to = await dio.load(Branch, branch)
        to.leaves.attach(await dio.load(Leaf, leaf))
        to.moves++
      },
      { retries: RETRIES, durability: 'memory' },
    )
  })
}

/** Takes two locks in one order, as who takes several must, and changes something under them. */
function locked(chain: Chain, branches: readonly ObjectKey[], count: number): Promise<void>[] {
  const random = seededRandom(8)
  return Array.from({ length: count }, async () => {
    const [one, two] = [pick(random, branches), pick(random, branches)].sort()
    if (one === undefined || two === undefined) return
    using first = await chain.lock(one)
    using second = one === two ? undefined : await chain.lock(two)
    if (!first.isHeld || second?.isHeld === false) throw new Error('a lock was lost')
    await chain.transact(async (dio) => (await dio.load(Branch, one)).moves++, { retries: RETRIES })
  })
}

async function numbersOf<D extends DataType>(items: AsyncIterable<Dao<D> & { number: number }>): Promise<number[]> {
  return (await collected(items)).map(({ number }) => number)
}

await onEveryChain(
  'hundreds of transactions, trees, locks, messages, requests and readers side by side',
  async (t, open) => {
    await using chain = await open()
    const tree = await plant(chain)
    const end = new AbortController()
    const queue = await chain.queue('jobs', Job, { retryDelayMs: 1 })
    let failures = 0
    const handling = queue.process(
      ({ number }, dio) => {
        if (number % 10 === 0 && failures++ < 3) throw new Error('once more')
        dio.store({ text: `${number}` }, { type: Note })
      },
      { signal: end.signal, concurrency: 4 },
    )
    const serving = [1, 2].map(() =>
      chain.serve(double, ({ number }) => ({ number: 2 * number }), { signal: end.signal }),
    )
    const { leaves } = await chain.dio().load(Branch, pick(Math.random, tree.branches))
    const watching = collected(leaves.subscribe())
    const reading = Array.from({ length: 50 }, async () => {
      const dio = chain.dio()
      const found = await Promise.all(tree.branches.map(async (key) => numbersOf((await dio.load(Branch, key)).leaves)))
      return found.flat().length
    })
    const begun = performance.now()
    const timer = setTimeout(() => t.fail('it has not ended'), LIMIT_MS)
    await Promise.all([
      ...moves(chain, tree, 200),
      ...locked(chain, tree.branches, 100),
      ...Array.from({ length: 50 }, (_, number) => queue.send({ number })),
      ...Array.from({ length: 50 }, async (_, number) => {
        const answer = await chain.invoke(double, { number })
        if (answer.number !== 2 * number) t.fail('a wrong answer')
      }),
      ...Array.from({ length: 30 }, () => chain.compact()),
    ])
    while ((await queue.length()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    clearTimeout(timer)
    end.abort()
    await Promise.all([handling, ...serving])
    t.comment(`${Math.round(performance.now() - begun)} ms`)
    const sums = await Promise.all(tree.branches.map(async (key) => chain.dio().load(Branch, key)))
    t.equal(sums.reduce((sum, { moves }) => sum + moves, 0), 300) // prettier-ignore
    const everywhere = (await Promise.all(sums.map(({ leaves }) => numbersOf(leaves)))).flat()
    t.strictSame(everywhere.sort((a, b) => a - b), Array.from({ length: LEAVES }, (_, i) => i), 'no leaf is lost') // prettier-ignore
    t.strictSame(new Set(await Promise.all(reading)), new Set([LEAVES]), 'nor was it at any moment')
    t.equal((await collected(chain.dio().roots(Note))).length, 50, 'each message took effect once')
    await chain.close()
    await watching.catch((error: unknown) => t.equal(errorCode(error), 'LAGGED'))
  },
)

await onEveryChain('locks taken in different orders end in TIMED_OUT, not in waiting for ever', async (t, open) => {
  await using chain = await open()
  const crossing = [
    ['a', 'b'],
    ['b', 'a'],
  ].map(async ([one = '', two = '']) => {
    // prettier-ignore
    using first = await chain.lock(one)
    await new Promise((resolve) => setTimeout(resolve, 10))
    using second = await chain.lock(two, { timeoutMs: 50 })
    return first.isHeld && second.isHeld
  })
  const outcomes = await Promise.allSettled(crossing)
  t.ok(outcomes.some((outcome) => outcome.status === 'rejected' && errorCode(outcome.reason) === 'TIMED_OUT'))
  for (const name of ['a', 'b']) {
    using lock = chain.tryLock(name)
    t.ok(lock?.isHeld, 'and nobody has them any more')
  }
})
