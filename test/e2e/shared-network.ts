/**
 * Mounts on a machine whose network dies without a word: no connection is refused or reset, and nothing comes back. Waits are bounded,
 * what needs no server goes on, and all goes on when the network is back; where packets are lost it is slow, and right.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { RecoveryMode } from '../../src/client/index.js'
import { startAtedb } from '../helpers/atedb-server.js'
import { type CliWorld, cliWorld, shell } from '../helpers/cli.js'
import { type Network, network, type NetworkMachine, noNetwork } from '../helpers/network.js'
import { tool } from '../helpers/served-mounts.js'

const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
/** What reading what is known, and making something, say while nothing comes through. */
const OUTCOMES = {
  'readonly-async': ['ok', 'EROFS'],
  async: ['ok', 'ok'],
  'readonly-sync': ['EIO', 'EIO'],
  sync: ['EIO', 'EIO'],
} as const
const MODES = Object.keys(OUTCOMES) as RecoveryMode[]
/** The server is waited for 5 seconds. */
const WAIT_MS = 7500
/** Where nothing is asked of the server it is missed after 45 seconds. */
const MISS_MS = 65_000
const AT_ONCE_MS = 4000
const BACK_MS = 60_000

interface Machines {
  readonly wires: Network
  readonly world: CliWorld
  /** On the machine of the server. */
  readonly near: string
  /** By mode, on the machine that is cut off. */
  readonly far: Readonly<Record<RecoveryMode, string>>
}

async function machines(t: Test): Promise<Machines> {
  const world = cliWorld(t)
  const wires = await network(t)
  const { server, client } = wires
  const flags = ['-l', server.address, '--no-auth']
  const { port } = await startAtedb(t, world, flags, world.path('served'), server.within)
  writeFileSync(world.path('passfile'), 'secret')
  const mount = async (name: string, at: NetworkMachine, mode: string): Promise<string> => {
    const place = ['--log-path', world.path(`logs-${name}`), '--passfile', world.path('passfile')]
    const words = [
      'mount',
      world.path(name),
      'team',
      '-r',
      `ws://${server.address}:${port}/db`,
      '--recovery-mode',
      mode,
    ]
    const { code, stderr } = await at.run(world, [...words, ...place])
    t.equal(code, 0, stderr)
    return world.path(name)
  }
  const near = await mount('near', server, 'readonly-async')
  const mounts = await Promise.all(MODES.map(async (mode) => [mode, await mount(mode, client, mode)] as const))
  return { wires, world, near, far: Object.fromEntries(mounts) as Machines['far'] }
}

/** The outcome of a program, and how long it took. */
async function timed(program: string, ...words: string[]): Promise<{ outcome: string; ms: number }> {
  const began = performance.now()
  const outcome = await tool(program, ...words)
  return { outcome, ms: Math.round(performance.now() - began) }
}

async function until(t: Test, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  while (!(await isSo().catch(() => false))) {
    if (performance.now() - began > BACK_MS) throw new Error(`${what}: not after ${BACK_MS} ms`)
    await sleep(50)
  }
  t.pass(`${what}: after ${Math.round(performance.now() - began)} ms`)
}

const TREE = `find . -printf '%P %y %i %n %s %m %T@\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`

async function demandOneTree(t: Test, { near, far }: Machines): Promise<void> {
  const wanted = (): Promise<string> => shell(`cd ${near}; ${TREE}`)
  for (const mode of MODES)
    await until(t, `${mode}: one tree`, async () => (await shell(`cd ${far[mode]}; ${TREE}`)) === (await wanted()))
}

async function demandBounded(t: Test, { far }: Machines, mode: RecoveryMode): Promise<void> {
  const there = far[mode]
  const [reading, making] = OUTCOMES[mode]
  for (const look of [['-f', there], [there]]) {
    const { outcome, ms } = await timed('stat', ...look)
    t.equal(outcome, 'ok', `${mode}: stat ${look.join(' ')}`)
    t.ok(ms < AT_ONCE_MS, `${mode}: in ${ms} ms`)
  }
  const read = await timed('cat', `${there}/known`)
  t.equal(read.outcome, reading, `${mode}: to read`)
  t.ok(read.ms < (reading === 'ok' ? AT_ONCE_MS : WAIT_MS), `${mode}: in ${read.ms} ms`)
  const asksServer = making === 'EIO'
  if (!asksServer && !IS_LONG) return
  const made = await timed('mkdir', `${there}/made-${mode}`)
  t.equal(made.outcome, making, `${mode}: to make`)
  t.ok(made.ms < (asksServer ? WAIT_MS : MISS_MS), `${mode}: in ${made.ms} ms`)
}

await t.test(
  'when the network dies without a word waits are bounded, and all goes on when it is back',
  { skip: noNetwork },
  async (t) => {
    const all = await machines(t)
    const { wires, near, far } = all
    for (const mode of MODES) await shell(`echo ${mode} > ${far[mode]}/of-${mode}`)
    await shell(`echo known > ${near}/known; sync ${near}/known`)
    await demandOneTree(t, all)
    wires.pull()
    const missed = await timed('sh', '-c', `echo meanwhile > ${near}/meanwhile`)
    t.match(missed, { outcome: 'ok' }, 'others go on')
    await Promise.all(MODES.map((mode) => demandBounded(t, all, mode)))
    wires.plug()
    for (const mode of MODES)
      await until(
        t,
        `${mode}: what others did`,
        async () => (await shell(`cat ${far[mode]}/meanwhile`)) === 'meanwhile\n',
      )
    for (const mode of MODES)
      await until(t, `${mode}: changes`, async () => (await tool('mkdir', `${far[mode]}/after-${mode}`)) === 'ok')
    await demandOneTree(t, all)
    for (const mode of MODES) t.equal(await tool('test', '-d', `${near}/after-${mode}`), 'ok', mode)
    if (!wires.lose(3)) {
      t.pass('where packets are lost', { skip: 'the kernel cannot lose packets' })
      return
    }
    for (const [from, to] of [
      [far.sync, near],
      [near, far['readonly-sync']],
    ] as const) {
      await shell(`head -c 500000 /dev/urandom > ${from}/lossy; sync ${from}/lossy`)
      await until(t, 'amid losses', async () => (await tool('cmp', `${from}/lossy`, `${to}/lossy`)) === 'ok')
    }
    await demandOneTree(t, all)
  },
)
