/** Each `--compact-*` of a mount, and of the server where the mount's user says nothing, on a chain of distributed trust. */
import { statSync } from 'node:fs'
import t, { type Test } from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { type CliWorld, cliWorld, shell } from '../helpers/cli.js'
import { eventually } from '../helpers/remote-chains.js'

const MIB = 1024 * 1024
const GONE_MIB = 3
/** So often it is looked whether it is due; a server's word on that is a minute at least. */
const LOOKS = ['--compact-timer', '1']
const DUE_MS = 20_000
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined

interface Case {
  readonly server?: readonly string[]
  readonly mount: readonly string[]
  /** After how long a compaction is due; the default is soon. */
  readonly dueMs?: number
  readonly isNever?: boolean
}

const SIZE = ['--compact-mode', 'size', '--compact-threshold-size', String(MIB)]
const FACTOR = ['--compact-mode', 'factor', '--compact-threshold-factor', '0.05']
const CASES: readonly Case[] = [
  { mount: ['--compact-mode', 'never', '--compact-now'] },
  { mount: ['--compact-mode', 'modified', ...LOOKS] },
  { mount: ['--compact-mode', 'timer', ...LOOKS] },
  { mount: [...FACTOR, ...LOOKS] },
  { mount: [...SIZE, ...LOOKS] },
  { server: FACTOR, mount: LOOKS },
  { server: SIZE, mount: LOOKS },
  { server: SIZE, mount: ['--compact-mode', 'never', ...LOOKS], isNever: true },
]
const SLOW: readonly Case[] = [
  { server: ['--compact-mode', 'timer', '--compact-timer', '60'], mount: [], dueMs: 90_000 },
  { server: ['--compact-mode', 'modified'], mount: [], dueMs: 90_000 },
]

/** How long the slowest compaction so far has taken. One that must not be is waited for longer. */
let slowestMs = 0

async function tried(t: Test, world: CliWorld, port: number, number: number, one: Case): Promise<void> {
  const { server = [], mount, dueMs = DUE_MS, isNever = false } = one
  const what = `server: ${server.join(' ')}; mount: ${mount.join(' ')}`
  const place = world.path(`m${number}`)
  const run = (...words: string[]) => world.run(words, { input: 'secret' })
  const mountWith = async (...flags: string[]): Promise<void> => {
    const { code, stderr } = await run('mount', place, `c${number}`, '-r', `ws://127.0.0.1:${port}/db`, ...flags)
    t.equal(code, 0, `${what}: ${stderr}`)
  }
  const logs = world.path('data/atefs', `127.0.0.1:${port}`)
  const diskBytes = (): number => statSync(`${logs}/db%2Fc${number}/0000000001.seg`).blocks * 512
  await mountWith('--compact-mode', 'never')
  await shell(
    `cd ${place}; head -c ${GONE_MIB}M /dev/urandom > gone; seq 20000 > kept; sync gone kept; rm gone; sync .`,
  )
  t.equal((await run('umount', place)).code, 0)
  const before = diskBytes()
  t.ok(before > GONE_MIB * MIB, `${what}: ${before} bytes before`)
  await mountWith(...mount)
  await shell(`cd ${place}; head -c 1500000 /dev/urandom > more; sync more`)
  const isGone = (): boolean => diskBytes() < before - 2 * MIB
  const began = performance.now()
  if (isNever) await eventually(isGone, Math.max(2500, 2 * slowestMs)).catch(() => undefined)
  else {
    await eventually(isGone, dueMs).catch(() => undefined)
    slowestMs = Math.max(slowestMs, performance.now() - began)
  }
  t.equal(isGone(), !isNever, `${what}: ${diskBytes()} bytes now`)
  await shell(`cd ${place}; seq 20000 | cmp - kept; [ "$(ls)" = "$(printf 'kept\\nmore')" ]`)
  t.equal((await run('umount', place)).code, 0)
  const checked = await run('fsck', `db%2Fc${number}`, '--log-path', logs, '--json')
  t.match(checked.json(), { findings: [], refused: [] }, `${what}: ${checked.stderr}`)
}

await t.test('each is heeded in distributed trust: the copy gives the space of what is deleted back', async (t) => {
  const world = cliWorld(t)
  const ports = new Map<string, number>()
  const cases = IS_LONG ? [...CASES, ...SLOW] : CASES
  for (const { server = [] } of cases) {
    const flags = server.join(' ')
    if (ports.has(flags)) continue
    const words = ['-l', '127.0.0.1', '-t', 'distributed', ...server]
    ports.set(flags, (await startAtedb(t, world, words, world.path(`served-${ports.size}`))).port)
  }
  const left = [...cases.entries()]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [number, one] = next
      await tried(t, world, ports.get((one.server ?? []).join(' ')) ?? 0, number, one)
    }
  }
  await Promise.all([work(), work(), work()])
})
