/** fsck through the program, and what mount makes of a damaged or rolled back chain. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { GROUP_RECORDS } from '../../src/engine/log/types.js'
import { framesOf } from '../helpers/frames.js'
import { cliWorld, shell, type CliResult, type CliWorld } from '../helpers/cli.js'

interface Chain {
  world: CliWorld
  mountpoint: string
  directory: string
  mount: (...flags: string[]) => Promise<CliResult>
  umount: () => Promise<CliResult>
  fsck: (...flags: string[]) => Promise<CliResult>
}

/** Made once: each test has a copy of it, with what the machine knows of it. */
let first: Promise<CliWorld> | undefined

async function makeFirst(): Promise<CliWorld> {
  const world = cliWorld(t)
  const mountpoint = world.path('vault')
  await world.run(['mount', mountpoint, '--no-auth'])
  await shell(`cd ${mountpoint}; mkdir d; echo small > d/small; head -c 300000 /dev/urandom > d/large; sync d/large`)
  await world.run(['umount', mountpoint])
  return world
}

/** A chain of some files, unmounted. */
async function chain(t: Test): Promise<Chain> {
  const world = cliWorld(t)
  first ??= makeFirst()
  const from = await first
  for (const place of ['data', 'state']) cpSync(from.path(place), world.path(place), { recursive: true })
  const mountpoint = world.path('vault')
  const made: Chain = {
    world,
    mountpoint,
    directory: world.path('data/atefs/vault'),
    mount: (...flags) => world.run(['mount', mountpoint, ...flags]),
    umount: () => world.run(['umount', mountpoint]),
    fsck: (...flags) => world.run(['fsck', ...flags]),
  }
  return made
}

/** Segment files, the newest last. */
function segments(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.seg'))
  return names.sort().map((name) => join(directory, name))
}

function flip(file: string, position: number): void {
  const bytes = readFileSync(file)
  bytes[position] = (bytes[position] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

t.test('a clean chain is clean, and unchanged by being looked at', async (t) => {
  const { fsck, directory, mount, umount } = await chain(t)
  const before = segments(directory).map((path) => readFileSync(path))
  const checked = await fsck('vault', '--json')
  t.equal(checked.code, 0, checked.stdout + checked.stderr)
  t.match(checked.json(), { chain: 'vault', findings: [], findingCount: 0, batches: Number })
  t.match((await fsck()).stdout, /^vault is clean/)
  t.same(
    segments(directory).map((path) => readFileSync(path)),
    before,
  )
  t.equal((await mount()).code, 0)
  t.equal((await fsck()).code, 11, 'not while it is mounted')
  await umount()
  t.equal((await fsck('other')).code, 6)
})

t.test('a damaged file is named, mount refuses, and with --allow-damage the rest can be read', async (t) => {
  const { fsck, directory, mount, umount, mountpoint } = await chain(t)
  // In the middle of the large file, which is most of its segment.
  const largest = segments(directory).reduce((a, b) => (statSync(a).size >= statSync(b).size ? a : b))
  flip(largest, 150_000)
  const checked = await fsck('--json')
  t.equal(checked.code, 26)
  const findings = checked.json()['findings'] as Finding[]
  t.ok(
    findings.some(({ path }) => path === '/d/large'),
    'the path',
  )
  t.ok(
    findings.some(({ segment }) => segment !== undefined),
    'the place in the log',
  )
  const place = { segment: Number, position: Number, sequence: Number, group: Number }
  const body = findings.find(({ kind }) => kind === 'body')
  t.match(body, { ...place, path: '/d/large', inode: Number }, 'both in one finding')
  const group = findings.find(({ kind }) => kind === 'group')
  for (const key of ['segment', 'position', 'sequence', 'group'] as const) t.equal(body?.[key], group?.[key], key)
  t.match((await fsck()).stdout, /\/d\/large.*\n(.*\n)*vault is DAMAGED/)

  rmSync(join(directory, 'index'), { recursive: true })
  const refused = await mount()
  t.equal(refused.code, 26, refused.stderr)
  t.match(refused.stderr, 'atefs fsck')
  const tolerant = await mount('--allow-damage')
  t.equal(tolerant.code, 0)
  t.match(tolerant.stderr, /The log is damaged: .* \(batch \d+, segment 1, position \d+\)\./, 'the place')
  t.equal(await shell(`cat ${mountpoint}/d/small`), 'small\n')
  await t.rejects(shell(`cat ${mountpoint}/d/large`), /Input\/output error/)
  await t.rejects(shell(`touch ${mountpoint}/new`), /Read-only file system/)
  t.equal((await umount()).code, 0)
})

t.test('damage far from the end is not met by a mount that has its index: what is damaged fails alone', async (t) => {
  const { fsck, directory, mount, umount, mountpoint, world } = await chain(t)
  const [first] = segments(directory)
  await mount()
  await shell(`echo more > ${mountpoint}/more`)
  await umount()
  flip(first ?? '', 150_000)

  t.equal((await mount()).code, 0)
  t.equal(await shell(`cd ${mountpoint}; cat d/small more; stat -c %s d/large`), 'small\nmore\n300000\n')
  await t.rejects(shell(`cat ${mountpoint}/d/large`), /Input\/output error/)
  await t.rejects(shell(`cat ${mountpoint}/d/large`), /Input\/output error/)
  const ino = (await shell(`stat -c %i ${mountpoint}/d/large`)).trim()
  t.equal(await shell(`cd ${mountpoint}; echo new > new; sync new; cat new`), 'new\n', 'and it can be written to')
  await umount()
  const logs = world.path('state/atefs')
  // That of the chain it is a copy of lies beside it, in no order.
  const names = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.log'))
  const lines = names.flatMap((name) => readFileSync(join(logs, name), 'utf8').split('\n'))
  const told = lines.filter((line) => line.includes(`Content of inode ${ino} cannot be read`))
  t.equal(told.length, 1, 'one line in the log')
  t.notMatch(lines.join('\n'), 'large')
  t.equal((await fsck()).code, 26)
})

t.test(
  'an older copy of the log in its place is refused by mount, told by fsck, and taken when that is meant',
  async (t) => {
    const { fsck, directory, mount, world } = await chain(t)
    cpSync(directory, world.path('copy'), { recursive: true })
    await mount()
    await shell(`echo more > ${world.path('vault')}/more`)
    await world.run(['umount', world.path('vault')])
    // The older copy takes its place.
    rmSync(directory, { recursive: true })
    cpSync(world.path('copy'), directory, { recursive: true })
    const refused = await mount()
    t.equal(refused.code, 26, refused.stderr)
    t.match(refused.stderr, /--accept-rollback/)
    const checked = await fsck('--json')
    t.equal(checked.code, 26)
    t.match(checked.json()['findings'], [{ kind: 'rollback' }])
    t.equal((await mount('--accept-rollback')).code, 0)
    t.equal(await shell(`ls ${world.path('vault')}`), 'd\n')
    await world.run(['umount', world.path('vault')])
    t.equal((await mount()).code, 0, 'accepted for good')
  },
)

t.test('a key that is damaged is told, not a crash', async (t) => {
  const { fsck, directory, mount } = await chain(t)
  flip(join(directory, 'key'), 30)
  for (const result of [await fsck(), await mount()]) t.equal(result.code, 26, result.stderr)
})

t.test('without its manifest a chain is refused, named by fsck, and read with --allow-damage', async (t) => {
  const { fsck, directory, mount, umount, mountpoint } = await chain(t)
  const manifest = join(directory, 'manifest')
  const kept = readFileSync(manifest)
  const damages: Record<string, () => void> = {
    damaged: () => flip(manifest, kept.length - 1),
    'damaged by a cut': () => truncateSync(manifest, 20),
    missing: () => rmSync(manifest),
  }
  for (const [what, damage] of Object.entries(damages)) {
    writeFileSync(manifest, kept)
    damage()
    const checked = await fsck('--json')
    t.equal(checked.code, 26, what)
    t.match(checked.json(), { findingCount: 1, findings: [{ kind: 'manifest' }] }, what)
    for (const flags of [[], ['--read-only']]) {
      const refused = await mount(...flags)
      const says = /manifest of this chain is (damaged|missing)\.\n.*Put back a copy.*atefs mount --allow-damage/
      t.match(refused, { code: 26, stderr: says }, what)
    }
    const mounted = await mount('--allow-damage')
    t.match(mounted, { code: 0, stderr: /the manifest is (damaged|missing)/ }, what)
    t.equal(await shell(`cat ${mountpoint}/d/small; wc -c < ${mountpoint}/d/large`), 'small\n300000\n', what)
    await t.rejects(shell(`touch ${mountpoint}/new`), /Read-only/)
    t.equal((await umount()).code, 0)
  }
  writeFileSync(manifest, kept)
  t.equal((await fsck()).code, 0, 'nothing was changed')
})

type Finding = Record<string, unknown>

/** Both must say that the chain is damaged, mount with what to type. Returns what fsck found. */
async function refusedAndChecked(t: Test, { mount, fsck }: Chain, what: string): Promise<Finding[]> {
  const refused = await mount()
  t.equal(refused.code, 26, `${what}: ${refused.stderr}`)
  t.match(refused.stderr, /atefs fsck|--accept-rollback/, what)
  const checked = await fsck('--json')
  t.equal(checked.code, 26, what)
  return checked.json()['findings'] as Finding[]
}

t.test('a newest segment that was cut short or is missing is refused by mount and named by fsck', async (t) => {
  const made = await chain(t)
  const newest = segments(made.directory).at(-1) ?? ''
  const whole = readFileSync(newest)
  const last = (await framesOf(newest)).at(-1)
  t.ok(last)
  for (const length of [whole.length - 1, last?.position ?? 0, 0]) {
    writeFileSync(newest, whole.subarray(0, length))
    const [first] = await refusedAndChecked(t, made, `cut to ${length}`)
    t.match(first, { kind: 'segment', segment: 1, message: `${length} bytes where ${whole.length} belong` })
  }
  rmSync(newest)
  const [missing] = await refusedAndChecked(t, made, 'removed')
  t.match(missing, { kind: 'segment', segment: 1 })
  const nothing = await made.mount('--allow-damage')
  t.equal(nothing.code, 26, nothing.stderr)
  writeFileSync(newest, whole)
  t.equal((await made.mount()).code, 0)
  t.equal(await shell(`cat ${made.mountpoint}/d/small`), 'small\n')
})

t.test('a log cut off below what was synced before a crash is not taken for what a crash leaves', async (t) => {
  const made = await chain(t)
  const { mountpoint, directory, mount, umount } = made
  const crash = async (): Promise<void> => {
    const { pid } = (await mount('--json')).json()
    await shell(`cd ${mountpoint}; date > before; sync before; date > synced; sync synced; kill -9 ${String(pid)}`)
    await umount()
  }
  await crash()
  t.equal((await mount()).code, 0, 'what a crash leaves is taken')
  await umount()

  await crash()
  const newest = segments(directory).at(-1) ?? ''
  const frames = await framesOf(newest)
  const last = frames.at(-1)
  t.ok(frames.length >= 2)
  truncateSync(newest, (last?.endPosition ?? 0) - 8)
  const findings = await refusedAndChecked(t, made, 'torn')
  t.match(
    findings.find(({ kind }) => kind === 'rollback'),
    { sequence: last?.sequence, message: `batch ${last?.sequence} was durable before` },
  )
  t.equal((await mount('--accept-rollback')).code, 0)
  t.equal(await shell(`ls ${mountpoint}`), 'before\nd\nsynced\n', 'of the session before')
  await umount()
  t.equal((await made.fsck()).code, 0)
})

t.test('damaged records are named with their place in the log and the file that lacks them', async (t) => {
  const made = await chain(t)
  const { mountpoint, directory, mount, umount } = made
  await mount()
  const append = 'head -c 200000 /dev/urandom >> d/log; sync d/log'
  await shell(`cd ${mountpoint}; ${append}; ${append}; ${append}`)
  await umount()
  const newest = segments(directory).at(-1) ?? ''
  const frame = (await framesOf(newest)).filter(({ groups }) => groups.length > 2)[1]
  const records = frame?.groups.find(({ kind }) => kind === GROUP_RECORDS)
  t.ok(records, 'the second append has a batch of its own')
  flip(newest, (records?.position ?? 0) + (records?.storedBytes ?? 0) - 30)
  rmSync(join(directory, 'index'), { recursive: true })

  const findings = await refusedAndChecked(t, made, 'records')
  const place = { segment: 2, sequence: frame?.sequence, group: records?.number, position: records?.position }
  t.match(findings[0], { kind: 'group', ...place })
  t.match(
    findings.filter(({ path }) => path !== undefined).map(({ path }) => path),
    ['/d/log'],
  )
  const { stdout } = await made.fsck()
  t.match(stdout, `segment 2, position ${place.position}, batch ${place.sequence}, record group ${place.group}`)
  t.match(stdout, '/d/log')
})
