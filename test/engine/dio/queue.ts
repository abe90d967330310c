/** Messages that take effect exactly once. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Chain } from '../../../src/engine/dio/chain.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import type { Handler, QueueOptions } from '../../../src/engine/dio/queue.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { queueType } from '../../../src/engine/dio/queue-types.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { keys } from '../../helpers/log-workbench.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { collected, memoryChain, Note } from '../../helpers/objects.js'

const Job = dataType('Job', plain<{ number: number }>())

/** Handles messages until `isDone`, at most some seconds. */
async function processUntil(
  chain: Chain,
  handler: Handler<typeof Job>,
  isDone: () => Promise<boolean> | boolean,
  options: QueueOptions & { concurrency?: number } = {},
): Promise<void> {
  const { concurrency = 1, ...queueOptions } = options
  const queue = await chain.queue('jobs', Job, { retryDelayMs: 1, ...queueOptions })
  const end = new AbortController()
  const running = queue.process(handler, { signal: end.signal, concurrency })
  for (let i = 0; i < 2000 && !(await isDone()); i++) await sleep(5)
  end.abort()
  await running
}

const notes = async (chain: Chain): Promise<string[]> =>
  (await collected(chain.dio().roots(Note))).map(({ text }) => text).sort((a, b) => Number(a) - Number(b))

await onEveryChain('messages are handled in their order, and are gone', async (t, open) => {
  await using chain = await open()
  const queue = await chain.queue('jobs', Job)
  for (let number = 0; number < 20; number++) await queue.send({ number })
  const order: number[] = []
  await processUntil(chain, ({ number }) => void order.push(number), () => order.length === 20) // prettier-ignore
  t.strictSame(
    order,
    Array.from({ length: 20 }, (_, i) => i),
  )
  t.equal(await queue.length(), 0)
})

await onEveryChain('several handlers share the work, and each message takes effect once', async (t, open) => {
  await using chain = await open()
  const queue = await chain.queue('jobs', Job)
  const sends = Array.from({ length: 60 }, (_, number) => queue.send({ number }))
  const handler: Handler<typeof Job> = async ({ number }, dio) => {
    dio.store({ text: `${number}` }, { type: Note })
    await sleep(number % 3)
  }
  const isDone = async () => (await notes(chain)).length === 60 && (await queue.length()) === 0
  await Promise.all([Promise.all(sends), processUntil(chain, handler, isDone, { concurrency: 5 })])
  t.strictSame(
    await notes(chain),
    Array.from({ length: 60 }, (_, i) => `${i}`),
  )
})

await onEveryChain(
  'what a handler did before it failed has not happened, and the message is tried again',
  async (t, open) => {
    await using chain = await open()
    const queue = await chain.queue('jobs', Job)
    await queue.send({ number: 7 })
    let attempts = 0
    const handler: Handler<typeof Job> = ({ number }, dio) => {
      dio.store({ text: `${number}` }, { type: Note })
      if (++attempts < 3) throw new Error('not yet')
    }
    await processUntil(chain, handler, async () => (await queue.length()) === 0)
    t.equal(attempts, 3)
    t.strictSame(await notes(chain), ['7'])
  },
)

await onEveryChain(
  'a message that never succeeds is put aside with the reason, and can be revived',
  async (t, open) => {
    await using chain = await open()
    const queue = await chain.queue('jobs', Job, { maxAttempts: 3 })
    const key = await queue.send({ number: 1 })
    await queue.send({ number: 2 })
    const done: number[] = []
    const handler: Handler<typeof Job> = ({ number }) => {
      if (number === 1) throw new Error('impossible')
      done.push(number)
    }
    await processUntil(chain, handler, async () => (await queue.length()) === 0, { maxAttempts: 3 })
    t.strictSame(done, [2])
    const dead = await collected(queue.dead())
    t.strictSame(dead.map(({ message, attempts, reason }) => [message.number, attempts, reason]), [[1, 3, 'impossible']]) // prettier-ignore
    await queue.revive(key)
    t.equal(await queue.length(), 1)
    t.strictSame(await collected(queue.dead()), [])
    await processUntil(chain, ({ number }) => void done.push(number), () => done.length === 2) // prettier-ignore
    t.strictSame(done, [2, 1])
    await t.rejects(queue.revive(key), { code: 'NOT_FOUND' })
  },
)

await onEveryChain(
  'a handler that takes too long has lost its message, and what it does comes to nothing',
  async (t, open) => {
    await using chain = await open()
    const queue = await chain.queue('jobs', Job)
    await queue.send({ number: 1 })
    let attempts = 0
    const wasTold: boolean[] = []
    const handler: Handler<typeof Job> = async (_, dio, signal) => {
      const attempt = ++attempts
      dio.store({ text: `${attempt}` }, { type: Note })
      if (attempt === 1) await sleep(200)
      wasTold.push(signal.aborted)
    }
    const isDone = async () => wasTold.length === 2 && (await queue.length()) === 0
    await processUntil(chain, handler, isDone, { leaseMs: 40, concurrency: 2 })
    t.equal(attempts, 2)
    t.strictSame(wasTold, [false, true])
    t.strictSame(await notes(chain), ['2'])
  },
)

await t.test('after a crash at any moment every message takes effect once', async (t) => {
  const storage = new MemoryStorage()
  for (let number = 0; number < 5; number++) {
    // A chain that is not closed is what a crash leaves: everything in the log, nothing in the index.
    const chain = await memoryChain({ storage, store: new MemoryStore(), keys })
    const queue = await chain.queue('jobs', Job)
    await queue.send({ number })
    const stuck = new Promise<void>(() => undefined)
    const end = new AbortController()
    let begun = 0
    void queue.process(
      async (job, dio) => {
        dio.store({ text: `${job.number}` }, { type: Note })
        if (++begun > 1 || number === 0) await stuck
      },
      { signal: end.signal },
    )
    for (let i = 0; i < 200 && begun < 2 && (await queue.length()) > 0; i++) await sleep(2)
    end.abort()
  }
  await using chain = await memoryChain({ storage, store: new MemoryStore(), keys })
  const queue = await chain.queue('jobs', Job)
  const handler: Handler<typeof Job> = (job, dio) => void dio.store({ text: `${job.number}` }, { type: Note })
  await processUntil(chain, handler, async () => (await queue.length()) === 0)
  t.strictSame(await notes(chain), ['0', '1', '2', '3', '4'])
})

await onEveryChain('a message is sent with what else its transaction does, or not at all', async (t, open) => {
  await using chain = await open()
  const queue = await chain.queue('jobs', Job)
  const dio = chain.dioMut()
  await queue.sendIn(dio, { number: 1 })
  dio.cancel()
  t.equal(await queue.length(), 0)
  await queue.sendIn(dio, { number: 2 })
  dio.store({ text: 'with it' }, { type: Note })
  await dio.commit()
  t.equal(await queue.length(), 1)
})

await onEveryChain('a queue keeps to the type of its messages', async (t, open) => {
  await using chain = await open()
  await chain.queue('jobs', Job)
  await chain.queue('jobs', Job)
  await t.rejects(chain.queue('jobs', Note), { code: 'WRONG_TYPE' })
})

await t.test(
  'a queue is worked off: until it is empty, with what is tried again and what others have taken',
  async (t) => {
    await using chain = await memoryChain()
    const queue = await chain.queue('jobs', Job, { retryDelayMs: 20, maxAttempts: 3 })
    await queue.process(() => void t.fail('there is nothing'), { untilEmpty: true })
    for (let number = 0; number < 10; number++) await queue.send({ number })
    const attempts = new Map<number, number>()
    const handler: Handler<typeof Job> = async ({ number }, dio) => {
      attempts.set(number, (attempts.get(number) ?? 0) + 1)
      await sleep(5)
      if (number === 3) throw new Error('never')
      if (number === 4 && attempts.get(number) === 1) throw new Error('not yet')
      if (number === 5) await queue.sendIn(dio, { number: 100 })
      dio.store({ text: `${number}` }, { type: Note })
    }
    await Promise.all([
      queue.process(handler, { untilEmpty: true, concurrency: 3 }),
      queue.process(handler, { untilEmpty: true }).then(async () => t.equal(await queue.length(), 0)),
    ])
    t.strictSame(await notes(chain), ['0', '1', '2', '4', '5', '6', '7', '8', '9', '100'])
    t.strictSame([attempts.get(3), attempts.get(4)], [3, 2])
    t.equal((await collected(queue.dead())).length, 1, 'what was put aside is not waited for')
  },
)

await t.test('without a signal the work ends with the chain', async (t) => {
  const chain = await memoryChain()
  const queue = await chain.queue('jobs', Job)
  const working = queue.process(() => undefined)
  await sleep(10)
  await Promise.all([t.rejects(working, { code: 'CHAIN_CLOSED' }), chain.close()])
})

await onEveryChain('only messages of the queue are taken back, and nothing of them is left', async (t, open) => {
  await using chain = await open()
  const queue = await chain.queue('jobs', Job, { maxAttempts: 1 })
  const foreign = await (await chain.queue('others', Job)).send({ number: 1 })
  const root = await chain.transact((dio) => dio.store({ number: 2 }, { type: Job }).key)
  const type = queueType(Job)
  const name = (await chain.dio().load(type, chain.keyOfName('queue', 'jobs'))).key
  const withdraw = (key: ObjectKey) => chain.transact((dio) => queue.withdrawIn(dio, key))
  for (const key of [foreign, root, name]) {
    t.notOk(await withdraw(key))
    t.ok(await chain.dio().exists(key))
  }
  const waiting = await queue.send({ number: 3 })
  t.ok(await withdraw(waiting))
  t.notOk(await withdraw(waiting))
  const dead = await queue.send({ number: 4 })
  await queue.process(() => Promise.reject(new Error('impossible')), { untilEmpty: true })
  t.equal((await collected(queue.dead())).length, 1)
  t.ok(await withdraw(dead))
  const { failures, claims } = await chain.dio().load(type, name)
  t.strictSame([await collected(queue.dead()), await failures.size(), await claims.size()], [[], 0, 0])
})

await onEveryChain('a lease may be for ever', async (t, open) => {
  await using chain = await open()
  const queue = await chain.queue('jobs', Job, { leaseMs: Infinity })
  await queue.send({ number: 1 })
  let isTold = false
  const handler: Handler<typeof Job> = async (_, __, signal) => {
    await sleep(20)
    isTold = signal.aborted
  }
  await queue.process(handler, { untilEmpty: true })
  t.notOk(isTold)
})
