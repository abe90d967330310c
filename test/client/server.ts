/** Clients and the real server, while connections are cut and the server is started again: one history, and nothing lost. */
import t, { type Test } from 'tap'
import { dataType, errorCode, plain } from '../../src/index.js'
import { isLinearizable, type Operation, registerModel } from '../helpers/linearizable.js'
import { TestServer } from '../helpers/real-server.js'
import { START } from '../../src/sync/index.js'
import { keys } from '../helpers/log-workbench.js'
import { TestClient } from '../helpers/chain-server.js'
import { eventually, type Machine, machine, Note, store, texts } from '../helpers/remote-chains.js'
import { seededRandom } from '../helpers/seeded-random.js'

const Register = dataType('Register', plain<{ value: string }>())
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function machines(t: Test, server: TestServer, count: number, options = {}): Promise<Machine[]> {
  const first = await machine(server, { patienceMs: 10_000, ...options })
  const rest = Array.from({ length: count - 1 }, () =>
    machine(server, { keys: first.keys, patienceMs: 10_000, ...options }),
  )
  const all = [first, ...(await Promise.all(rest))]
  t.teardown(async () => {
    for (const each of all) await each.close()
    await server.close()
  })
  return all
}

/** Cuts and restarts until the work is done. */
async function amid(server: TestServer, work: Promise<unknown>): Promise<void> {
  const random = seededRandom(7)
  const state = { isDone: false }
  void work.finally(() => (state.isDone = true)).catch(() => undefined)
  while (!state.isDone) {
    await pause(40 + random() * 80)
    if (random() < 0.3) await server.restart()
    else server.cut()
  }
  await work
}

await t.test('what one commits the others see, without being asked, within a second', async (t) => {
  const [one, other] = await machines(t, new TestServer(), 2)
  if (one === undefined || other === undefined) throw new Error('there are too few')
  await store(one, 'warm')
  await eventually(async () => (await texts(other)).length === 1)
  const began = performance.now()
  await store(one, 'seen')
  await eventually(async () => (await texts(other)).length === 2)
  t.ok(performance.now() - began < 1000, `${performance.now() - began} ms`)
})

await t.test(
  'five that write while all is cut and restarted: what the server accepted is there once, everywhere',
  async (t) => {
    const server = new TestServer()
    const all = await machines(t, server, 5)
    const acknowledged: string[] = []
    const write = async (each: Machine, i: number): Promise<void> => {
      for (let round = 0; round < 8; round++) {
        const text = `${i}-${round}`
        await each.chain.transact((dio) => dio.store({ text }, { type: Note }), { durability: 'server', retries: 100 })
        acknowledged.push(text)
      }
    }
    await amid(server, Promise.all(all.map(write)))
    const ends = (): number[] => all.map(({ remote }) => remote.status().headSequence)
    await eventually(() => new Set(ends()).size === 1, 20_000)
    for (const each of all) t.strictSame(await texts(each), acknowledged.toSorted())
  },
)

await t.test('a register that all read and write amid losses is linearizable', async (t) => {
  const server = new TestServer()
  const all = await machines(t, server, 3, { recoveryMode: 'sync' })
  const [first] = all
  if (first === undefined) throw new Error('there are too few')
  const { key } = await first.chain.transact((dio) => dio.store({ value: '' }, { type: Register }), {
    durability: 'server',
  })
  const history: Operation[] = []
  const run = async ({ chain }: Machine, i: number): Promise<void> => {
    for (let round = 0; round < 6; round++) {
      const from = performance.now()
      if ((round + i) % 2 === 0) {
        const value = `${i}-${round}`
        const to = await chain
          .transact(async (dio) => void ((await dio.load(Register, key)).value = value), {
            durability: 'server',
            retries: 100,
          })
          .then(
            () => performance.now(),
            () => Infinity,
          )
        history.push({ kind: 'write', value, outcome: undefined, from, to })
      } else {
        const value = await chain.refresh().then(
          async () => (await chain.dio().load(Register, key)).value,
          (error: unknown) => t.equal(errorCode(error), 'TIMED_OUT'),
        )
        if (typeof value === 'string')
          history.push({ kind: 'read', value: '', outcome: value, from, to: performance.now() })
      }
      await pause(10)
    }
  }
  await eventually(() => all.every(({ remote }) => remote.status().headSequence >= 1))
  await amid(server, Promise.all(all.map(run)))
  t.ok(history.length >= 12)
  t.ok(isLinearizable(history, registerModel), JSON.stringify(history))
})

await t.test('messages of a queue are handled once, by whichever machine, amid losses', async (t) => {
  const server = new TestServer()
  const all = await machines(t, server, 3)
  const Job = dataType('RemoteJob', plain<{ number: number }>())
  const Done = dataType('RemoteDone', plain<{ number: number }>())
  const [producer, ...workers] = all
  if (producer === undefined) throw new Error('there are too few')
  const queue = await producer.chain.queue('jobs', Job)
  for (let number = 0; number < 12; number++) await queue.send({ number })
  await producer.remote.accepted()
  for (const each of workers)
    await eventually(() => each.remote.status().headSequence === producer.remote.status().headSequence)
  const stop = new AbortController()
  const work = workers.map(async ({ chain }) => {
    const jobs = await chain.queue('jobs', Job)
    await jobs.process(
      ({ number }, dio) => {
        dio.store({ number }, { type: Done })
      },
      { signal: stop.signal },
    )
  })
  const handled = async (): Promise<number[]> => {
    const numbers: number[] = []
    for await (const { number } of producer.chain.dio().roots(Done)) numbers.push(number)
    return numbers.sort((a, b) => a - b)
  }
  await amid(
    server,
    eventually(async () => (await handled()).length >= 12, 30_000),
  )
  await pause(300)
  t.strictSame(
    await handled(),
    Array.from({ length: 12 }, (_, i) => i),
  )
  stop.abort()
  await Promise.allSettled(work)
})

await t.test('who waits for the turn for long keeps his connection, and has it when others let go', async (t) => {
  const server = new TestServer({ turnWaitMs: 60, graceMs: 10_000 })
  const dialled = { count: 0 }
  const dial: TestServer['dial'] = () => {
    dialled.count++
    return server.dial()
  }
  const one = await machine({ dial }, { keys })
  const holder = await (await TestClient.over(await server.dial())).open('notes')
  const { term } = await holder.turn(START)
  const count = dialled.count
  const stored = store(one, 'late')
  await pause(400)
  t.equal(one.remote.status().headSequence, 0, 'it was refused some times')
  await holder.release(term)
  await stored
  await one.remote.accepted()
  t.equal(dialled.count, count)
  await one.close()
  await server.close()
})
