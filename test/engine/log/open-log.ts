/** Opening: where the replay begins, what is reported, what is refused. */
import t from 'tap'
import { type Finding, GROUP_CONTENT, type LogPoint } from '../../../src/engine/log/types.js'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { describeChain } from '../../../src/engine/log/index.js'
import { FaultStorage, mediumAfter } from '../../helpers/fault-storage.js'
import {
  contentIsRight,
  create,
  crypto,
  draft,
  filled,
  keys,
  MemoryAnchor,
  numbersOf,
  open,
} from '../../helpers/log-workbench.js'

await t.test('a new log is empty and lies on the storage as a manifest only', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log, batches, anchorMissing, pointAccepted } = await open({ storage })
  t.equal(log.head, undefined)
  t.equal(log.durableSequence, 0)
  t.equal(log.sizeBytes(), 0)
  t.same(batches, [])
  t.notOk(anchorMissing, 'there is nothing that could have been lost')
  t.ok(pointAccepted)
  await log.close()
  t.same(await storage.list(), ['manifest'])
  await t.rejects(create(storage), { code: 'CHAIN_EXISTS' })
})

await t.test('what is appended comes back in order with its places', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const first = await open({ storage })
  const appended = await first.log.append([draft(1, 9000), draft(2)])
  appended.push(...(await first.log.append([draft(3, 100)])))
  const { head } = first.log
  const size = first.log.sizeBytes()
  await first.log.close()
  const second = await open({ storage })
  t.same(numbersOf(second.batches), [1, 2, 3])
  t.match(second.batches, appended)
  t.ok(contentIsRight(storage, second.batches))
  t.same(second.log.head, head)
  t.equal(second.log.sizeBytes(), size)
  t.equal([...storage.snapshot()].find(([name]) => name.endsWith('.seg'))?.[1].length, size, 'nothing reserved is left')
  await second.log.close()
})

await t.test('replay begins behind any point that the log has, closed or not', async (t) => {
  for (const closes of [true, false]) {
    const storage = new FaultStorage()
    await create(storage)
    const points: LogPoint[] = []
    for (const session of [0, 1]) {
      const { log } = await open({ storage })
      for (let i = 1; i <= 4; i++) {
        await log.append([draft(session * 4 + i, 300)])
        if (log.head !== undefined) points.push(log.head)
      }
      if (closes || session === 0) await log.close()
    }
    for (const from of points) {
      const reopened = await open({ storage: FaultStorage.holding(storage.snapshot()), from })
      t.ok(reopened.pointAccepted)
      t.equal(numbersOf(reopened.batches).length, 8 - from.sequence, `from ${from.sequence}`)
      await reopened.log.append([draft(9)])
      t.equal(reopened.log.head?.sequence, 9)
      await reopened.log.close()
    }
  }
})

await t.test('a point that the log does not have begins the replay at the start', async (t) => {
  const storage = new FaultStorage()
  const log = await filled(storage, 3)
  const point = log.head
  if (point === undefined) return t.fail()
  await log.close()
  const foreign: LogPoint[] = [
    { ...point, digest: new Uint8Array(32) },
    { ...point, sequence: 2 },
    { ...point, position: point.position + 8 },
    { ...point, position: point.position - 8 },
    { ...point, position: 8 },
    { ...point, segment: 9 },
  ]
  for (const from of foreign) {
    const opened = await open({ storage, from, readOnly: true })
    t.notOk(opened.pointAccepted)
    t.same(numbersOf(opened.batches), [1, 2, 3])
  }
})

await t.test('every session writes to a segment of its own, and one without a batch leaves none', async (t) => {
  const storage = new FaultStorage()
  await (await filled(storage, 1)).close()
  await (await open({ storage })).log.close()
  const { log } = await open({ storage })
  await log.makeRoom()
  await log.close()
  t.same((await storage.list()).sort(), ['0000000001.seg', 'manifest'])
  const again = await open({ storage })
  await again.log.append([draft(2)])
  await again.log.close()
  t.equal((await storage.list()).filter((name) => name.endsWith('.seg')).length, 2)
})

await t.test('a segment is closed when it is full', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage, segmentBytes: 20_000 })
  for (let number = 1; number <= 10; number++) await log.append([draft(number, 8000)])
  await log.close()
  t.equal((await storage.list()).filter((name) => name.endsWith('.seg')).length, 4)
  const { batches } = await open({ storage, readOnly: true })
  t.equal(batches.length, 10)
  t.ok(contentIsRight(storage, batches))
})

await t.test('a reader changes nothing, even where a session was killed', async (t) => {
  const storage = new FaultStorage()
  const log = await filled(storage, 2)
  const operations = storage.operations.length
  const reader = await open({ storage, readOnly: true })
  t.same(numbersOf(reader.batches), [1, 2])
  t.same(reader.log.head, log.head)
  await t.rejects(reader.log.append([draft(3)]), { code: 'READ_ONLY' })
  await t.rejects(reader.log.makeRoom(), { code: 'READ_ONLY' })
  await reader.log.close()
  const since = storage.operations.slice(operations)
  t.ok(
    since.every(({ kind }) => kind === 'sync'),
    'what it shows to a cache is made durable, nothing else',
  )
})

await t.test('a torn batch behind the point of a cache costs nothing of what lies before it', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  await log.append([draft(1, 100)])
  await log.append([draft(2, 100)])
  const from = log.head
  await log.append([draft(3, 60_000)])
  const { operations } = storage
  const last = operations.findLastIndex(({ kind }) => kind === 'write')
  const write = operations[last]
  if (write?.kind !== 'write' || from === undefined) return t.fail('nothing was written')
  const torn = [...operations.slice(0, last), { ...write, bytes: write.bytes.subarray(0, 20_000) }]
  const medium = FaultStorage.holding(mediumAfter(torn, 'all'))
  const reopened = await open({ storage: medium, from })
  t.ok(reopened.pointAccepted)
  t.same(numbersOf(reopened.batches), [])
  await reopened.log.append([draft(3, 10)])
  await reopened.log.close()
  t.same(numbersOf((await open({ storage: medium, readOnly: true })).batches), [1, 2, 3])
})

await t.test('a log without its anchor says so, once', async (t) => {
  const storage = new FaultStorage()
  await (await filled(storage, 2)).close()
  const anchor = new MemoryAnchor()
  const first = await open({ storage, anchor })
  t.ok(first.anchorMissing)
  await first.log.close()
  t.notOk((await open({ storage, anchor })).anchorMissing)
  t.ok((await open({ storage, readOnly: true })).anchorMissing, 'nobody keeps one')
})

await t.test('an anchor that cannot be written is told and does not stop the log', async (t) => {
  const findings: Finding[] = []
  const anchor = new MemoryAnchor()
  anchor.write = () => {
    throw new Error('the disk of the anchor is full')
  }
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage, anchor, onFinding: (finding) => findings.push(finding) })
  await log.append([draft(1)])
  await log.append([draft(2)])
  await log.close()
  t.match(findings, [{ kind: 'rollback' }])
})

await t.test('opening tells how far it is', async (t) => {
  const storage = new FaultStorage()
  await (await filled(storage, 5, 3000)).close()
  const progress: [number, number][] = []
  await open({ storage, readOnly: true, onProgress: (done, total) => progress.push([done, total]) })
  t.equal(progress.length, 5)
  t.ok(progress.every(([done], i) => done > (progress[i - 1]?.[0] ?? 0)))
  t.equal(progress[4]?.[0], progress[4]?.[1])
})

await t.test('damage can only be allowed for reading, and content that is damaged is still listed', async (t) => {
  const storage = new FaultStorage()
  await (await filled(storage, 1, 500)).close()
  await t.rejects(open({ storage, allowDamage: true }), { code: 'BAD_ARGUMENT' })
  const { batches } = await open({ storage, readOnly: true, allowDamage: true })
  t.ok(batches[0]?.groups.some(({ kind }) => kind === GROUP_CONTENT))
})

await t.test('a chain is described without its keys', async (t) => {
  const storage = new FaultStorage()
  await t.rejects(describeChain(storage), { code: 'NOT_A_CHAIN' })
  await create(storage)
  t.match(await describeChain(storage), { chainId: keys.chainId, suite: keys.suite, format: { formatVersion: 1 } })
  await storage.replaceSmall('manifest', new Uint8Array(500))
  await t.rejects(describeChain(storage), { code: 'CHAIN_DAMAGED' })
})

await t.test('keys of another chain open nothing', async (t) => {
  const storage = new FaultStorage()
  await (await filled(storage, 1)).close()
  const other = deriveChainKeys(crypto, new Uint8Array(32).fill(9), keys.chainId, keys.suite)
  await t.rejects(open({ storage, keys: other }), { code: 'CHAIN_DAMAGED' })
  await t.rejects(open({ storage, keys: { ...keys, chainId: new Uint8Array(16) } }), { code: 'CHAIN_DAMAGED' })
})

await t.test('an anchor that cannot be read or moved does not stop the opening', async (t) => {
  const storage = new FaultStorage()
  await (await filled(storage, 1)).close()
  const anchor = new MemoryAnchor()
  const fail = (): never => {
    throw new Error('unreadable')
  }
  anchor.read = fail
  anchor.write = fail
  const findings: Finding[] = []
  const opened = await open({ storage, anchor, onFinding: (finding) => findings.push(finding) })
  t.ok(opened.anchorMissing)
  t.match(findings, [{ kind: 'rollback' }, { kind: 'rollback' }])
  await opened.log.close()
})

await t.test('what is missing or short is told when damage is allowed, and the rest is read', async (t) => {
  const storage = new FaultStorage()
  const anchor = new MemoryAnchor()
  await create(storage)
  const points: LogPoint[] = []
  for (const number of [1, 2, 3]) {
    const { log } = await open({ storage, anchor })
    await log.append([draft(number)])
    if (log.head !== undefined) points.push(log.head)
    if (number < 3) await log.close()
  }
  const findingsWithout = async (name: string, from?: LogPoint): Promise<[number[], Finding[]]> => {
    const files = storage.snapshot()
    files.delete(name)
    const findings: Finding[] = []
    const onFinding = (finding: Finding): unknown => findings.push(finding)
    const options = { storage: FaultStorage.holding(files), anchor, readOnly: true, allowDamage: true, from, onFinding }
    return [numbersOf((await open(options)).batches), findings]
  }
  t.match(await findingsWithout('0000000001.seg'), [[2, 3], [{ kind: 'segment', segment: 1 }]])
  t.match(await findingsWithout('0000000002.seg'), [[1, 3], [{ kind: 'segment', segment: 2 }]])
  t.match(await findingsWithout('0000000003.seg'), [
    [1, 2],
    [{ kind: 'segment', segment: 3 }, { kind: 'rollback' }],
  ])
  t.match(await findingsWithout('0000000001.seg', points[0]), [[2, 3], [{ kind: 'segment', segment: 1 }]])
})
