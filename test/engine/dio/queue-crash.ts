/**
 * Queues through crashes of producer and consumer, at every operation on the log and inside its writes: each message that
 * was sent takes effect once, or is put aside once; one that was not acknowledged does so at most once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Chain } from '../../../src/engine/dio/chain.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import type { Queue } from '../../../src/engine/dio/queue.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { cuts, lastNoteOf, powerFailures } from '../../helpers/crash/cuts.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { keys } from '../../helpers/log-workbench.js'
import { collected, memoryChain, Note } from '../../helpers/objects.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const Job = dataType('Job', plain<{ number: number }>())
const MESSAGES = 4
/** No handler ever comes to an end with it. */
const POISON = 2
/** A small disk gets a small segment: opening one writes over its whole rest. */
const CAPACITY_BYTES = 4 * 1024 * 1024
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined

interface Moment {
  /** Messages whose sender knows that they are sent. */
  acknowledged: number
}

async function open(storage: FaultStorage): Promise<{ chain: Chain; queue: Queue<typeof Job> }> {
  storage.capacityBytes = CAPACITY_BYTES
  const chain = await memoryChain({ storage, keys, durability: 'local' })
  return { chain, queue: await chain.queue('jobs', Job, { maxAttempts: 2, retryDelayMs: 1 }) }
}

/** Processes until nothing is left. */
async function processAll(queue: Queue<typeof Job>): Promise<void> {
  const end = new AbortController()
  const processing = queue.process(
    ({ number }, dio) => {
      dio.store({ text: number === POISON ? 'never' : `done ${number}` }, { type: Note })
      if (number === POISON) throw new Error('impossible')
    },
    { signal: end.signal },
  )
  for (let i = 0; i < 5000 && (await queue.length()) > 0; i++) await sleep(1)
  end.abort()
  await processing
}

/** Messages are sent while others are handled, each with something else in its transaction. */
async function history(): Promise<FaultStorage> {
  const storage = new FaultStorage()
  const { chain, queue } = await open(storage)
  const mark = (acknowledged: number): void => storage.mark({ acknowledged } satisfies Moment)
  mark(0)
  for (let number = 0; number < MESSAGES; number++) {
    await chain.transact(async (dio) => {
      dio.store({ text: `sent ${number}` }, { type: Note })
      await queue.sendIn(dio, { number })
    })
    mark(number + 1)
    if (number === 1) await processAll(queue)
  }
  await processAll(queue)
  await chain.close()
  return storage
}

async function check(t: Test, storage: FaultStorage, { acknowledged }: Moment, what: string): Promise<void> {
  const { chain, queue } = await open(storage)
  await processAll(queue)
  const notes = (await collected(chain.dio().roots(Note))).map(({ text }) => text)
  const dead = (await collected(queue.dead())).map(({ message }) => message.number)
  await chain.close()
  const numbers = Array.from({ length: MESSAGES }, (_, number) => number)
  const sent = numbers.filter((number) => notes.includes(`sent ${number}`))
  const expected = sent.map((number) => `sent ${number}`)
  for (const number of sent) if (number !== POISON) expected.push(`done ${number}`)
  if (sent.length < acknowledged) t.fail(`${what}: ${acknowledged} were acknowledged, ${sent.length} are there`)
  if (notes.sort().join() !== expected.sort().join()) t.fail(`${what}: ${notes.join()}, not ${expected.join()}`)
  if (dead.join() !== sent.filter((number) => number === POISON).join()) t.fail(`${what}: put aside ${dead.join()}`)
}

await t.test('a process that is killed at any step of sending and handling', async (t) => {
  const storage = await history()
  let crashes = 0
  for (const operations of cuts(storage.operations)) {
    const moment = lastNoteOf(operations) as Moment | undefined
    if (moment === undefined) continue
    await check(t, FaultStorage.afterKill(operations), moment, `killed at ${operations.length}`)
    crashes++
  }
  t.ok(crashes > 100, `${crashes} crashes`)
})

await t.test('a power failure at any step of sending and handling', async (t) => {
  const storage = await history()
  let crashes = 0
  for (const { what, operations, files } of powerFailures(storage.operations, seededRandom(5), IS_LONG)) {
    const moment = lastNoteOf(operations) as Moment | undefined
    if (moment === undefined) continue
    await check(t, FaultStorage.holding(files), moment, what)
    crashes++
  }
  t.ok(crashes > 100, `${crashes} crashes`)
})
