/** Compaction of chains in a program: when it is asked for, by itself, when opened and when closed. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  AteConfig,
  type AteConfigOptions,
  type Chain,
  ChainBuilder,
  compactor,
  dataType,
  type Dio,
  type ObjectKey,
  plain,
  vecOf,
} from '../../src/index.js'

const Blob = dataType('Blob', plain<{ bytes: Uint8Array }>())
const MiB = 1024 * 1024

function workbench(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'atefs-library-'))
  const state = process.env['XDG_STATE_HOME']
  process.env['XDG_STATE_HOME'] = join(root, 'state')
  t.teardown(() => {
    if (state === undefined) delete process.env['XDG_STATE_HOME']
    else process.env['XDG_STATE_HOME'] = state
    rmSync(root, { recursive: true })
  })
  const notices: string[] = []
  const open = (changes: AteConfigOptions = {}): Promise<Chain> => {
    const onNotice = (message: string): void => void notices.push(message)
    return new ChainBuilder(AteConfig.default().with({ logPath: root, onNotice, ...changes })).open('blobs')
  }
  /** What the first segment takes on the disk: that of the session that made the chain. */
  const diskBytes = (): number => statSync(join(root, 'blobs', '0000000001.seg')).blocks * 512
  return { open, diskBytes, notices }
}

/** A chain that was closed with 8 MiB in it, and nothing that refers to 7 of them. */
async function withDeadContent(open: (changes?: AteConfigOptions) => Promise<Chain>): Promise<void> {
  const chain = await open({ compactMode: 'never' })
  const blobs = await chain.transact((dio) =>
    Array.from({ length: 8 }, (_, i) => dio.store({ bytes: new Uint8Array(MiB).fill(i) }, { type: Blob }).key),
  )
  await chain.transact((dio) => blobs.slice(1).forEach((key) => dio.delete(key)))
  await chain.close()
}

/** The objects that there are, all of them as they must be. */
async function countBlobs(t: Test, chain: Chain): Promise<number> {
  let count = 0
  for await (const { bytes } of chain.dio().roots(Blob)) {
    t.ok(bytes.every((byte) => byte === bytes[0]))
    count++
  }
  return count
}

await t.test('compact() gives space back, and says how much, whatever was read before', async (t) => {
  const { open, diskBytes } = workbench(t)
  await withDeadContent(open)
  const before = diskBytes()
  const chain = await open({ compactMode: 'never' })
  const [first] = chain.dio().rootKeys(Blob)
  const report = await chain.compact()
  t.ok(report.freedBytes > 6 * MiB, `${report.freedBytes} bytes`)
  t.ok(first !== undefined)
  t.equal(await countBlobs(t, chain), 1)
  await chain.close()
  t.ok(diskBytes() < before - 6 * MiB)
  await t.rejects(chain.compact(), { code: 'CHAIN_CLOSED' })
  const reader = await open({ readOnly: true })
  await t.rejects(reader.compact(), { code: 'READ_ONLY' })
  await reader.close()
})

async function readLater(dio: Dio, key: ObjectKey): Promise<number> {
  await sleep(700)
  return (await dio.load(Blob, key)).bytes.length
}

await t.test('who holds an older state reads it to the end; then its content goes', async (t) => {
  const { open } = workbench(t)
  await withDeadContent(open)
  const chain = await open({ compactMode: 'never' })
  const [key] = chain.dio().rootKeys(Blob)
  if (key === undefined) return t.fail('there is no object')
  const reading = readLater(chain.dio(), key)
  await chain.transact((dio) => dio.delete(key))
  const compacted = chain.compact()
  t.equal(await reading, MiB)
  t.ok((await compacted).bodies > 0, 'it is let go of with its last use')
  await chain.close()
})

await t.test('on opening and on closing, when that is asked for', async (t) => {
  const { open, diskBytes, notices } = workbench(t)
  await withDeadContent(open)
  const before = diskBytes()
  const chain = await open({ compactMode: 'never', compactCleanup: true })
  const dio = chain.dio()
  t.equal([...dio.rootKeys(Blob)].length, 1)
  await chain.transact((dio) => dio.deleteRoots())
  t.ok(diskBytes() > before - MiB, 'nothing has happened yet')
  await chain.close()
  t.ok(diskBytes() < before - 7 * MiB, 'although somebody holds an older state')
  const again = await open({ compactMode: 'never' })
  t.same([...again.dio().rootKeys(Blob)], [])
  await again.close()
  t.same(notices, [])
})

await t.test('as soon as it is open', async (t) => {
  const { open, diskBytes } = workbench(t)
  await withDeadContent(open)
  const before = diskBytes()
  const chain = await open({ compactMode: 'never', compactBootstrap: true })
  for (let i = 0; i < 100 && diskBytes() > before - 6 * MiB; i++) await sleep(50)
  t.ok(diskBytes() < before - 6 * MiB)
  t.equal(await countBlobs(t, chain), 1)
  await chain.close()
})

await t.test('by itself, when it is due', async (t) => {
  const { open, diskBytes } = workbench(t)
  await withDeadContent(open)
  const before = diskBytes()
  const chain = await open({ compactMode: 'timer', compactTimerMs: 100 })
  await sleep(1500)
  t.ok(diskBytes() > before - MiB, 'not while nothing is committed')
  await chain.transact((dio) => dio.store({ bytes: new Uint8Array(1) }, { type: Blob }))
  for (let i = 0; i < 200 && diskBytes() > before - 6 * MiB; i++) await sleep(50)
  t.ok(diskBytes() < before - 6 * MiB)
  await chain.close()
})

await t.test('what a program says is needed no more is deleted first, by hand and by itself', async (t) => {
  const { open, diskBytes } = workbench(t)
  await withDeadContent(open)
  let oldest = 5
  const Log = dataType('Log', plain<{ day: number; text: string }>(), { links: { details: vecOf(Blob) } })
  const asked = new Set<number | undefined>()
  const old = compactor(Log, ({ day }, { revision }) => {
    asked.add(revision)
    return day >= oldest
  })
  const first = await open({ compactMode: 'never', compactors: [old] })
  const days = async (chain: Chain): Promise<number[]> => {
    const all: number[] = []
    for await (const { day } of chain.dio().roots(Log)) all.push(day)
    return all.sort((a, b) => a - b)
  }
  await first.transact((dio) => {
    for (let day = 0; day < 250; day++) dio.store({ day: day % 10, text: 'x'.repeat(500) }, { type: Log })
    dio.store({ day: 1, text: '' }, { type: Log }).details.push({ bytes: new Uint8Array(MiB) })
  })
  await first.compact()
  t.same([...new Set(await days(first))], [5, 6, 7, 8, 9])
  t.equal((await days(first)).length, 125)
  t.same([...asked], [1])
  t.equal(await countBlobs(t, first), 1, 'of other types everything is needed; children went with their parents')
  await first.close()
  const before = diskBytes()
  oldest = 9
  const chain = await open({ compactMode: 'modified', compactTimerMs: 100, compactors: [old] })
  await chain.transact((dio) => dio.store({ day: 0, text: '' }, { type: Log }))
  for (let i = 0; i < 200 && (await days(chain)).length > 25; i++) await sleep(100)
  t.same([...new Set(await days(chain))], [9])
  t.ok(diskBytes() <= before)
  await chain.close()
})

await t.test('a compactor that fails is told to who compacts, and deletes nothing', async (t) => {
  const { open, notices } = workbench(t)
  await withDeadContent(open)
  const failing = compactor(Blob, () => {
    throw new Error('a mistake')
  })
  const chain = await open({ compactMode: 'never', compactBootstrap: true, compactors: [failing] })
  await t.rejects(chain.compact(), { message: 'a mistake' })
  t.equal(await countBlobs(t, chain), 1)
  await chain.close()
  t.same(notices, ['not compacted: a mistake (unexpected)'])
})

await t.test('what is no mode or no threshold is refused', (t) => {
  const wrong = [
    { compactMode: 'sometimes' as 'never' },
    { compactTimerMs: 0 },
    { compactThresholdFactor: -1 },
    { compactThresholdBytes: NaN },
  ]
  for (const changes of wrong)
    t.throws(() => new ChainBuilder(AteConfig.default().with(changes)), { code: 'BAD_ARGUMENT' })
  t.end()
})
