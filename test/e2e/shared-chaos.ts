/**
 * Machines that mount one chain of a server and change it at random, while the server and their own daemons are killed and their
 * connections are cut, stalled and refused: in the end all see one tree, and whatever was acknowledged at the server is there once.
 */
import t, { type Test } from 'tap'
import { isSyncMode, type RecoveryMode } from '../../src/client/index.js'
import { type Machine, type Team, teamOf } from '../helpers/chaos/machines.js'
import { LockContender } from '../helpers/chaos/lockers.js'
import { checkCopy } from '../helpers/check-copy.js'
import { shell } from '../helpers/cli.js'
import { settle } from '../helpers/chaos/settling.js'
import { progressOf } from '../helpers/progress.js'
import { seededRandom } from '../helpers/seeded-random.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
const FAULTS = Number(process.env['ATEFS_CHAOS_FAULTS'] ?? (IS_LONG ? 60 : 6))
const TRUST = process.env['ATEFS_CHAOS_TRUST'] ?? 'centralized'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

type Fault = (team: Team, machine: Machine, random: () => number) => Promise<void>

const faults: Readonly<Record<string, Fault>> = {
  'the server is killed': async ({ server }, _, random) => {
    await server.kill()
    await pause(random() * 500)
    await server.restart()
  },
  'a daemon is killed': async (_, machine) => {
    await machine.kill()
    await pause(100)
    await machine.join()
  },
  'a connection is cut': async (_, { proxy }) => {
    proxy.cut()
    await pause(50)
  },
  'a connection is cut amid a message, again and again': async (_, { proxy }, random) => {
    proxy.cutAfterBytes = 3000 + random() * 20_000
    proxy.cut()
    await pause(2000)
    proxy.cutAfterBytes = Infinity
  },
  'a machine is parted': async (_, { proxy }, random) => {
    proxy.part()
    await pause(random() * (IS_LONG ? 15_000 : 1000))
    proxy.heal()
  },
  'a connection is stalled': async (_, { proxy }, random) => {
    proxy.stall()
    await pause(random() * (IS_LONG ? 8000 : 1000))
    proxy.heal()
  },
}

/** Every kind once, then at random. */
async function disturb(t: Test, team: Team): Promise<void> {
  const random = seededRandom(SEED)
  const kinds = Object.entries(faults)
  const step = progressOf('faults', FAULTS)
  for (let i = 0; i < FAULTS; i++) {
    const [what, fault] = kinds[i < kinds.length ? i : Math.floor(random() * kinds.length)] ?? []
    const machine = team.machines[Math.floor(random() * team.machines.length)]
    if (what === undefined || fault === undefined || machine === undefined) throw new Error('nothing to do')
    t.comment(`${what}: ${machine.mount}`)
    await fault(team, machine, random)
    await pause(300 + random() * 700)
    step()
  }
}

/** In the strict modes each name is asked of the server. */
const TREE_MS = 180_000
const TREE = `find . -printf '%P %y %i %n %s %m %U %T@ %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`

async function demandOneTree(t: Test, { machines }: Team): Promise<void> {
  const trees = machines.map(({ mount }) => shell(`cd ${mount}; ${TREE}`, TREE_MS))
  const [first = '', ...others] = await Promise.all(trees)
  t.ok(first.split('\n').length > 6, `${first.split('\n').length} lines of a tree`)
  for (const other of others) t.equal(other, first, 'one tree')
}

async function demandPromised(t: Test, { machines }: Team): Promise<void> {
  const [first] = machines
  if (first === undefined) throw new Error('there is no machine')
  const read = async (what: string): Promise<string[]> => (await shell(`cd ${first.mount}; ${what}`)).trim().split('\n')
  const files = new Set(await read('cat kept/* || true'))
  const lines = await read('cat lines')
  const claims = await read('cd claims; grep -H . * || true')
  for (const { promised } of machines)
    for (const file of promised.files) t.ok(files.has(file), `${file} was acknowledged`)
  t.equal(new Set(lines).size, lines.length, 'no line twice')
  for (const { promised } of machines)
    for (const line of promised.lines) t.ok(lines.includes(line), `${line} was acknowledged`)
  const claimed = machines.flatMap(({ promised }) => promised.claims)
  t.equal(new Set(claimed).size, claimed.length, 'no two made one file')
  for (const [i, { promised }] of machines.entries())
    for (const claim of promised.claims) t.ok(claims.includes(`${claim}:${i}`), `${claim} is of machine ${i}`)
  t.comment(`${files.size} files, ${lines.length} lines, ${claimed.length} claims`)
}

const LOCKS = ['flock', 'fcntl'] as const

/** On each machine whose locks hold among machines. */
function contend(t: Test, { machines }: Team, modes: readonly RecoveryMode[]) {
  const strict = machines.filter((_, i) => isSyncMode(modes[i] ?? 'async'))
  return LOCKS.map((kind) => ({
    kind,
    // Where nothing is mounted for a moment there is no `tree` to pass.
    contenders: strict.map(({ mount }) => new LockContender(t, `${mount}/tree/../counted-${kind}`, kind)),
  }))
}

async function demandAlone(t: Test, { machines }: Team, contending: ReturnType<typeof contend>): Promise<void> {
  for (const { kind, contenders } of contending) {
    const told = contenders.flatMap(({ acknowledged }) => acknowledged)
    const lines = new Set((await shell(`cat ${machines[0]?.mount}/counted-${kind}`)).trim().split('\n'))
    t.ok(
      told.length > 0,
      `${kind}: had ${contenders.map(({ acknowledged }) => acknowledged.length).join(' and ')} times`,
    )
    t.equal(new Set(told).size, told.length, `${kind}: never held by two`)
    for (const number of told) if (!lines.has(number)) t.fail(`${kind}: ${number} was acknowledged`)
  }
}

async function amidFaults(t: Test, modes: readonly RecoveryMode[]): Promise<void> {
  const team = await teamOf(t, modes, TRUST)
  const { machines, world } = team
  for (const machine of machines) machine.work(SEED)
  const contending = contend(t, team, modes)
  await disturb(t, team)
  for (const { proxy } of machines) proxy.heal()
  await Promise.all(contending.flatMap(({ contenders }) => contenders.map((each) => each.end())))
  for (const [i, machine] of machines.entries()) t.equal(await machine.rest(), 0, `work of machine ${i}`)
  t.comment(`settled after ${Math.round(await settle(team))} ms`)
  await demandOneTree(t, team)
  await demandPromised(t, team)
  await demandAlone(t, team, contending)
  for (const [i, machine] of machines.entries()) {
    const left = await machine.leave()
    t.equal(left.code, 0, `machine ${i}: ${left.stdout}${left.stderr}`)
    const checked = await checkCopy(world, machine.logs)
    t.equal(checked.code, 0, `machine ${i}: ${checked.stdout}${checked.stderr}`)
  }
}

await t.test(`two machines, ${FAULTS} faults, seed ${SEED}`, { timeout: 0 }, (t) => amidFaults(t, ['sync', 'sync']))

await t.test(
  `five machines in all modes, ${FAULTS} faults, seed ${SEED}`,
  { timeout: 0, skip: IS_LONG ? false : 'takes minutes' },
  (t) => amidFaults(t, ['sync', 'readonly-async', 'readonly-sync', 'async', 'sync']),
)
