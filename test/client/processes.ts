/**
 * Programs that share a chain of a real server, killed with it while they work: what they saw can be put in one order, and each
 * message of a queue takes effect once.
 */
import t, { type Test } from 'tap'
import { type Program, type ProgramTeam, programsOf } from '../helpers/chaos/programs.js'
import {
  isLinearizable,
  type Model,
  type Operation,
  queueModel,
  registerModel,
  setModel,
} from '../helpers/linearizable.js'
import { progressOf } from '../helpers/progress.js'
import { seededRandom } from '../helpers/seeded-random.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
const FAULTS = Number(process.env['ATEFS_CHAOS_FAULTS'] ?? (IS_LONG ? 30 : 4))
/** A history of one object; beyond that its judge takes long. */
const OPERATIONS = 60
/** Of known outcome, for the history to say something. */
const ENOUGH = 6

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const objects: Readonly<Record<string, { model: Model<Operation>; kinds: readonly Operation['kind'][] }>> = {
  register: { model: registerModel, kinds: ['read', 'write'] },
  set: { model: setModel, kinds: ['has', 'add', 'remove'] },
  queue: { model: queueModel, kinds: ['push', 'take'] },
}

function never(): never {
  throw new Error('there is nothing to do')
}

/**
 * The server or a program is killed and comes back, or a connection is cut: first the server, then the first program (who produces) and
 * the second one (who consumes), then a connection, and whatever comes.
 */
async function fault(t: Test, { server, programs }: ProgramTeam, round: number, random: () => number): Promise<void> {
  const which = random()
  const at = round > 0 && round < 3 ? round - 1 : Math.floor(random() * programs.length)
  const program = programs[at]
  const isServer = round === 0 || (round > 3 && which < 0.35)
  const isCut = round === 3 || (round > 3 && which >= 0.7)
  t.comment(isServer ? 'the server is killed' : `program ${at} is ${isCut ? 'cut off' : 'killed'}`)
  if (isServer) {
    await server.kill()
    await server.restart()
  } else if (isCut) program?.proxy.cut()
  else {
    await program?.kill()
    await program?.start()
  }
}

async function amid(t: Test, team: ProgramTeam, work: (isOver: () => boolean) => Promise<void>): Promise<void> {
  const random = seededRandom(SEED)
  const step = progressOf('faults', FAULTS)
  const state = { isOver: false }
  const working = work(() => state.isOver)
  for (let i = 0; i < FAULTS; i++) {
    await pause(200 + random() * 300)
    await fault(t, team, i, random)
    step()
  }
  await pause(300)
  state.isOver = true
  await working
}

/** What is answered with an error, or not at all, may have happened or not. */
async function operate(program: Program, key: string, kind: Operation['kind'], value: string): Promise<Operation> {
  const from = performance.now()
  const operation = { kind, value }
  return await program.call({ call: 'operate', key, operation }).then(
    (outcome) => {
      const known = kind === 'write' || kind === 'push' ? undefined : (outcome as string | boolean)
      return { kind, value, outcome: known, from, to: performance.now() }
    },
    async () => {
      await pause(50)
      return { kind, value, outcome: undefined, from, to: Infinity }
    },
  )
}

function knownOf(history: readonly Operation[]): readonly Operation[] {
  return history.filter(({ to }) => to < Infinity)
}

await t.test(
  'a register, a set and a queue are linearizable for programs that are killed, as their server is',
  async (t) => {
    const team = await programsOf(t, ['sync', 'sync', 'sync'], ['--no-wire-encryption'])
    const [first = never()] = team.programs
    const shared = await Promise.all(
      Object.entries(objects).map(async ([what, object]) => {
        const key = String(await first.call({ call: 'make' }))
        return { what, key, history: new Array<Operation>(), ...object }
      }),
    )
    // A busy machine may see the faults through before much has happened.
    const isEnough = (): boolean => shared.every(({ history }) => knownOf(history).length >= ENOUGH)
    const run = async (program: Program, i: number, isOver: () => boolean): Promise<void> => {
      const random = seededRandom(SEED * 100 + i)
      for (let round = 0; !isOver() || !isEnough(); round++) {
        const { what, key, history, kinds } = shared[round % shared.length] ?? never()
        if (history.length >= OPERATIONS) break
        const kind = kinds[Math.floor(random() * kinds.length)] ?? never()
        const value = what === 'set' ? `v${Math.floor(random() * 3)}` : `${i}-${round}`
        history.push(await operate(program, key, kind, kind === 'read' || kind === 'take' ? '' : value))
        await pause(random() * 20)
      }
    }
    await amid(t, team, async (isOver) => {
      await Promise.all(team.programs.map((program, i) => run(program, i, isOver)))
    })
    for (const { what, history, model } of shared) {
      t.ok(
        knownOf(history).length >= ENOUGH,
        `${history.length} operations, of known outcome: ${knownOf(history).length}`,
      )
      t.ok(isLinearizable(history, model), `${what}: ${JSON.stringify(history)}`)
    }
  },
)

await t.test(
  'each message of a queue takes effect once, whichever producer, consumer or server is killed',
  async (t) => {
    const team = await programsOf(t, ['readonly-async', 'readonly-async', 'readonly-async'], ['--no-wire-encryption'])
    const [producer = never(), ...consumers] = team.programs
    const sent: string[] = []
    const tried: string[] = []
    await amid(t, team, async (isOver) => {
      const consume = async (consumer: Program): Promise<void> => {
        while (!isOver()) {
          await consumer.call({ call: 'process' }).catch(() => undefined)
          await pause(50)
        }
      }
      for (const consumer of consumers) void consume(consumer)
      for (let i = 0; !isOver() || sent.length < ENOUGH; i++) {
        const job = `job ${i}`
        tried.push(job)
        await producer.call({ call: 'send', job }).then(
          () => sent.push(job),
          () => pause(50),
        )
        await pause(20)
      }
    })
    for (const consumer of consumers) void consumer.call({ call: 'process' }).catch(() => undefined)
    let done: string[] = []
    for (const until = Date.now() + 60_000; Date.now() < until && !sent.every((job) => done.includes(job));) {
      await pause(200)
      done = (await producer.call({ call: 'done' }).catch(() => [])) as string[]
    }
    t.comment(`${tried.length} tried, ${sent.length} acknowledged, ${done.length} done`)
    t.ok(sent.length >= ENOUGH)
    t.strictSame(
      sent.filter((job) => !done.includes(job)),
      [],
      'what was acknowledged is done',
    )
    t.equal(new Set(done).size, done.length, 'nothing is done twice')
    t.strictSame(
      done.filter((job) => !tried.includes(job)),
      [],
    )
  },
)

await t.test(
  'a lock has one holder at a time, whoever is killed or cut off',
  { skip: IS_LONG ? false : 'takes a minute' },
  async (t) => {
    const team = await programsOf(t, ['sync', 'sync', 'sync'], ['--no-wire-encryption'])
    const held: [number, number, number][] = []
    const hold = async (program: Program, isOver: () => boolean): Promise<void> => {
      while (!isOver()) {
        const times = await program.call({ call: 'lock', name: 'one', holdMs: 30 }).catch(() => pause(50))
        if (Array.isArray(times)) held.push(times as [number, number, number])
      }
    }
    await amid(t, team, async (isOver) => {
      await Promise.all(team.programs.map((program) => hold(program, isOver)))
    })
    held.sort(([a], [b]) => a - b)
    t.ok(held.length > 2, `${held.length} times`)
    for (const [i, [from, , fence]] of held.entries()) {
      const [, before = 0, lower = 0] = held[i - 1] ?? []
      t.ok(from >= before, `held from ${from}, and by another one until ${before}`)
      t.ok(fence > lower, 'fences rise')
    }
  },
)
