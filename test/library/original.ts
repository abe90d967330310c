/** What the tests of the original system asserted of chains in one process, on disk and in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  type Chain,
  ChainBuilder,
  dataType,
  generateReadKey,
  generateWriteKey,
  plain,
  readBy,
  vecOf,
  writeBy,
} from '../../src/index.js'

const Row = dataType('Row', plain<{ value: number }>())
const Parent = dataType('Parent', plain<{ value: number }>(), { links: { children: vecOf(Row) } })

/** How a chain is opened, again and again; the one in memory is gone when it is closed. */
type Open = () => Promise<Chain>

function onDisk(t: Test, changes: Parameters<AteConfig['with']>[0] = {}): Open {
  const root = mkdtempSync(join(tmpdir(), 'atefs-library-'))
  const state = process.env['XDG_STATE_HOME']
  process.env['XDG_STATE_HOME'] = join(root, 'state')
  t.teardown(() => {
    if (state === undefined) delete process.env['XDG_STATE_HOME']
    else process.env['XDG_STATE_HOME'] = state
    rmSync(root, { recursive: true })
  })
  const config = AteConfig.default().with({ logPath: join(root, 'logs'), ...changes })
  return () => new ChainBuilder(config).open('universe')
}

await t.test(
  'test_dio: a protected object with a child is modified, seen, deleted, and right after reopening',
  async (t) => {
    const [root, write, read] = [generateWriteKey(), generateWriteKey(), generateReadKey()]
    const session = new AteSession({ readKeys: [read], writeKeys: [root, write] })
    const open = onDisk(t, { rootKeys: [root.id] })
    const chain = await open()
    const dio = chain.dioMut(session)
    const first = dio.store({ value: 1 }, { type: Parent })
    const child = first.children.push({ value: 10 })
    dio.protect(first, { read: readBy.only(read), write: writeBy.only(write) })
    await dio.commit()

    const again = await dio.load(Parent, first.key)
    again.value = 2
    t.equal((await dio.load(Parent, first.key)).value, 2, 'inside the transaction')
    again.value = 3
    const second = dio.store({ value: 100 }, { type: Parent })
    dio.protect(second, { write: writeBy.only(write) })
    await dio.commit()

    const reader = chain.dio(session)
    t.equal((await reader.load(Parent, first.key)).value, 3)
    t.equal((await reader.load(Row, child.key)).value, 10)
    ;(await dio.load(Parent, first.key)).value = 4
    await dio.load(Parent, second.key)
    dio.delete(second.key)
    await t.rejects(dio.load(Parent, second.key), { code: 'NOT_FOUND' })
    await dio.commit()
    await chain.close()

    await using reopened = await open()
    t.equal((await reopened.dio(session).load(Parent, first.key)).value, 4)
    t.notOk(await reopened.dio(session).exists(second.key))
    await t.rejects(reopened.dio().load(Parent, first.key), { code: 'NO_READ_KEY' })
  },
)

for (const kind of ['persistent', 'memory'] as const) {
  await t.test(
    `trust tree, ${kind}: below a protected parent who holds its keys works without the root key`,
    async (t) => {
      const [root, write, read] = [generateWriteKey(), generateWriteKey(), generateReadKey()]
      const open =
        kind === 'persistent'
          ? onDisk(t, { rootKeys: [root.id] })
          : () => new ChainBuilder(AteConfig.default().with({ rootKeys: [root.id] })).open('universe')
      let chain = await open()
      const all = chain.dioMut(new AteSession({ readKeys: [read], writeKeys: [root, write] }))
      const parent = all.store({ value: 0 }, { type: Parent })
      all.protect(parent, { read: readBy.only(read), write: writeBy.only(write) })
      await all.commit()
      if (kind === 'persistent') {
        await chain.close()
        chain = await open()
      }
      const session = new AteSession({ readKeys: [read], writeKeys: [write] })
      for (let i = 0; i < 100; i++)
        await chain.transact(async (dio) => (await dio.load(Parent, parent.key)).children.push({ value: i }), {
          session,
          durability: 'memory',
        })
      t.equal(await (await chain.dio(session).load(Parent, parent.key)).children.length(), 100)
      const dio = chain.dioMut(session)
      dio.store({ value: 1 }, { type: Row })
      await t.rejects(dio.commit(), { code: 'NOT_AUTHORIZED' }, 'the top is the root key’s')
      await chain.close()
    },
  )
}

await t.test('load: 100 commits of 100 objects are there when the chain is opened again', async (t) => {
  const open = onDisk(t)
  const chain = await open()
  for (let commit = 0; commit < 100; commit++) {
    const dio = chain.dioMut()
    for (let i = 0; i < 100; i++) dio.store({ value: 100 * commit + i }, { type: Row })
    await dio.commit({ durability: commit % 10 === 0 ? 'local' : 'memory' })
  }
  await chain.close()
  await using again = await open()
  let sum = 0
  let count = 0
  for await (const { value } of again.dio().roots(Row)) {
    sum += value
    count++
  }
  t.equal(count, 10_000)
  t.equal(sum, (10_000 * 9_999) / 2)
})

await t.test(
  'test_chain: two objects, a new version, a deletion; the same after every compaction and opening',
  async (t) => {
    const open = onDisk(t)
    let chain = await open()
    t.equal([...chain.dio().rootKeys()].length, 0)
    const [first, second] = await chain.transact((dio) => [
      dio.store({ value: 1 }, { type: Row }).key,
      dio.store({ value: 2 }, { type: Row }).key,
    ])
    const values = async () => (await chain.dio().loadMany(Row, [first, second])).map(({ value }) => value)
    const isSame = async (expected: number[]) => {
      t.strictSame(await values(), expected)
      t.equal([...chain.dio().rootKeys()].length, expected.length)
      await chain.compact()
      t.strictSame(await values(), expected, 'compacted')
      await chain.close()
      chain = await open()
      t.strictSame(await values(), expected, 'opened again')
    }
    await isSame([1, 2])
    await chain.transact(async (dio) => ((await dio.load(Row, first)).value = 3))
    await isSame([3, 2])
    await chain.transact((dio) => dio.delete(second))
    await t.rejects(chain.dio().load(Row, second), { code: 'NOT_FOUND' })
    await isSame([3])
    await chain.close()
  },
)

await t.test(
  'test_redo_log: what is written while the log is compacted is there, in order, also when reopened',
  async (t) => {
    const open = onDisk(t)
    let chain = await open()
    const list = await chain.transact((dio) => dio.store({ value: 0 }, { type: Parent }))
    const push = async (value: number, durability: 'memory' | 'local') =>
      await chain.transact(async (dio) => (await dio.load(Parent, list.key)).children.push({ value }), { durability })
    const values = async () => {
      const found: number[] = []
      for await (const { value } of (await chain.dio().load(Parent, list.key)).children) found.push(value)
      return found
    }
    t.strictSame(await values(), [])
    await push(1, 'memory')
    t.strictSame(await values(), [1], 'before it is on the disk')
    const compacting = chain.compact()
    for (const value of [4, 5, 6]) await push(value, value === 5 ? 'memory' : 'local')
    t.strictSame(await values(), [1, 4, 5, 6])
    await compacting
    await chain.close()
    chain = await open()
    t.strictSame(await values(), [1, 4, 5, 6])
    await push(7, 'local')
    t.equal((await values()).length, 5)
    await chain.close()
  },
)

await t.test('a passphrase opens a chain, and only it', async (t) => {
  const open = onDisk(t, { passphrase: 'correct horse' })
  const chain = await open()
  const dio = chain.dioMut()
  const { key } = dio.store({ value: 7 }, { type: Row })
  await dio.commit()
  await t.rejects(open(), { code: 'CHAIN_LOCKED' }, 'one at a time')
  await chain.close()
  await using again = await open()
  t.equal((await again.dio().load(Row, key)).value, 7)
})

await t.test('hundreds of transactions, locks and readers side by side come to an end', async (t) => {
  await using chain = await new ChainBuilder(AteConfig.default()).open('busy')
  const setUp = chain.dioMut()
  const counters = Array.from({ length: 5 }, () => setUp.store({ value: 0 }, { type: Parent }))
  await setUp.commit()
  const work = Array.from({ length: 300 }, async (_, i) => {
    const { key } = counters[i % counters.length] ?? { key: '' as never }
    if (i % 3 === 0) {
      using lock = await chain.lock(key)
      await chain.transact(async (dio) => (await dio.load(Parent, key)).value++, { retries: 1000 })
      return lock.fence
    }
    await chain.transact(async (dio) => (await dio.load(Parent, key)).children.push({ value: i }), { retries: 1000 })
    const { children } = await chain.dio().load(Parent, key)
    return children.length()
  })
  await Promise.all(work)
  const reader = chain.dio()
  const totals = await Promise.all(
    counters.map(async ({ key }) => {
      const { value, children } = await reader.load(Parent, key)
      return [value, await children.length()] as const
    }),
  )
  t.equal(totals.reduce((sum, [value]) => sum + value, 0), 100) // prettier-ignore
  t.equal(totals.reduce((sum, [, length]) => sum + length, 0), 200) // prettier-ignore
})
