/** Batches that were made elsewhere: what a copy of a chain takes in, and what it refuses without changing anything. */
import t from 'tap'
import { collectGarbage } from '../../../src/adapters/node/collect-garbage.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { type MemoryChain, type MemoryChainOptions, openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { Chain, type ChainOptions } from '../../../src/engine/dio/chain.js'
import { infoOf } from '../../../src/engine/dio/dao-state.js'
import { Hooks } from '../../../src/engine/dio/hooks/hooks.js'
import { type Validator, vote } from '../../../src/engine/dio/hooks/plugin.js'
import { encodeClock } from '../../../src/engine/dio/hybrid-clock.js'
import { CLOCK_KIND, OBJECT_KIND } from '../../../src/engine/dio/kinds.js'
import { encodeObject } from '../../../src/engine/dio/object-record.js'
import { findReferences } from '../../../src/engine/dio/references.js'
import { AteError } from '../../../src/engine/error.js'
import { type BatchBytes, readBatches, verifyLog } from '../../../src/engine/log/index.js'
import { keys } from '../../helpers/log-workbench.js'
import { Box, boxWith, namesIn, Note } from '../../helpers/objects.js'

const T0 = 1_800_000_000_000

interface Copy {
  memory: MemoryChain
  chain: Chain
}

async function openCopy(
  options: Partial<ChainOptions> = {},
  memoryOptions: Partial<MemoryChainOptions> = {},
): Promise<Copy> {
  const memory = await openMemoryChain({ crypto: nativeCrypto, keys, ...memoryOptions })
  const { view } = memory
  const onClose = (): Promise<void> => memory.close()
  const own = { view, crypto: nativeCrypto, nowMs: Date.now, durability: 'memory' } as const
  const compact = (): ReturnType<typeof view.compact> => view.compact()
  return { memory, chain: new Chain({ name: 'test', ...own, ...options, compact, onClose }) }
}

async function batchesOf({ chain, memory }: Copy, from = 1): Promise<BatchBytes[]> {
  await chain.sync()
  const batches: BatchBytes[] = []
  const { headSequence } = memory.view.writerStatus
  for await (const { bytes } of readBatches({ ...memory, crypto: nativeCrypto }, from, headSequence))
    batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
  return batches
}

function headOf({ memory }: Copy): string {
  const { headSequence, headDigest } = memory.view.writerStatus
  return `${headSequence} ${Buffer.from(headDigest).toString('hex')}`
}

await t.test('a copy that takes in all batches of a chain is the same chain', async (t) => {
  const [original, copy] = [await openCopy(), await openCopy()]
  const box = await boxWith(original.chain, 'a', 'b')
  await original.chain.transact(async (dio) => (await dio.load(Box, box.key)).items.push({ name: 'c', amount: 3 }))
  const { key } = await original.chain.transact((dio) => dio.store({ text: 'long'.repeat(50_000) }, { type: Note }))
  for (const bytes of await batchesOf(original)) await copy.chain.receive([bytes])
  t.equal(headOf(copy), headOf(original))
  t.strictSame(await namesIn(copy.chain, box), ['a', 'b', 'c'])
  t.equal((await copy.chain.dio().load(Note, key)).text.length, 200_000)
  t.strictSame(await batchesOf(copy), await batchesOf(original), 'byte by byte')
  await Promise.all([original.chain.close(), copy.chain.close()])
  const reopened = await openMemoryChain({ ...copy.memory, crypto: nativeCrypto })
  t.equal(headOf({ ...copy, memory: reopened }), headOf(original))
  await reopened.close()
  for await (const finding of verifyLog({ ...copy.memory, crypto: nativeCrypto })) t.fail(finding.message)
})

await t.test('a copy goes on by itself behind what it took in', async (t) => {
  const [original, copy] = [await openCopy(), await openCopy()]
  const box = await boxWith(original.chain, 'a')
  for (const bytes of await batchesOf(original)) await copy.chain.receive([bytes])
  const { key } = await copy.chain.transact((dio) => dio.store({ text: 'own'.repeat(1000) }, { type: Note }))
  t.equal((await copy.chain.dio().load(Note, key)).text.length, 3000)
  const behind = await batchesOf(copy, 2)
  for (const bytes of behind) await original.chain.receive([bytes])
  t.equal(headOf(original), headOf(copy), 'and the first takes that in')
  t.equal((await original.chain.dio().load(Note, key)).text.length, 3000)
  t.strictSame(await namesIn(original.chain, box), ['a'])
})

await t.test('subscribers, snapshots and transactions see a received batch as a commit of somebody else', async (t) => {
  const [original, copy] = [await openCopy(), await openCopy()]
  const box = await boxWith(original.chain, 'a')
  for (const bytes of await batchesOf(original)) await copy.chain.receive([bytes])
  const before = copy.chain.dio()
  const events = (await before.load(Box, box.key)).items.subscribe()
  const losing = copy.chain.dioMut()
  ;(await losing.load(Box, box.key)).label = 'mine'
  await original.chain.transact(async (dio) => {
    const loaded = await dio.load(Box, box.key)
    loaded.label = 'theirs'
    loaded.items.push({ name: 'b', amount: 1 })
  })
  for (const bytes of await batchesOf(original, 2)) await copy.chain.receive([bytes])
  const next: IteratorResult<{ kind: string }, unknown> = await events.next()
  t.equal(next.done === true ? 'the end' : next.value.kind, 'stored')
  t.equal((await before.load(Box, box.key)).label, 'box', 'the snapshot is as it was')
  t.equal((await copy.chain.dio().load(Box, box.key)).label, 'theirs')
  await t.rejects(losing.commit(), { code: 'CONFLICT' })
  await events.return?.()
})

await t.test('what is no next batch of the chain is refused, and nothing changes', async (t) => {
  const [original, copy] = [await openCopy(), await openCopy()]
  const foreign = await openMemoryChain({ crypto: nativeCrypto })
  const compact = (): ReturnType<typeof foreign.view.compact> => foreign.view.compact()
  const other = {
    memory: foreign,
    chain: new Chain({ ...named('other'), view: foreign.view, compact, onClose: () => foreign.close() }),
  }
  const box = await boxWith(original.chain, 'a')
  await boxWith(original.chain, 'b')
  await boxWith(other.chain, 'c')
  const [first, second] = await batchesOf(original)
  const [alien] = await batchesOf(other)
  if (first === undefined || second === undefined || alien === undefined) throw new Error('no batches')
  await t.rejects(copy.chain.receive([second]), { code: 'CHAIN_GAP' })
  await t.rejects(copy.chain.receive([alien]), { code: 'OTHER_CHAIN' })
  await copy.chain.receive([first])
  const head = headOf(copy)
  await t.rejects(copy.chain.receive([first]), { code: 'CHAIN_FORKED' }, 'again')
  for (const [part, bytes] of [['head', second.head] as const, ['groups', second.groups] as const]) {
    for (let at = 0; at < bytes.length; at += 7) {
      // The time of a link is bound by the next batch only.
      if (bytes === second.head && at >= 72 && at < 80) continue
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      const codes = ['BATCH_REFUSED', 'OTHER_CHAIN', 'UNSUPPORTED_FORMAT', 'CHAIN_FORKED', 'CHAIN_GAP']
      const code = await copy.chain.receive([{ ...second, [part]: changed }]).then(
        () => 'accepted',
        (error: unknown) => (error instanceof AteError ? error.code : String(error)),
      )
      if (!codes.includes(code)) t.fail(`${part} ${at}: ${code}`)
    }
    await t.rejects(copy.chain.receive([{ ...second, [part]: bytes.subarray(0, -1) }]), { code: 'BATCH_REFUSED' })
  }
  t.equal(headOf(copy), head)
  await copy.chain.receive([second])
  t.equal(headOf(copy), headOf(original))
  t.strictSame(await namesIn(copy.chain, box), ['a'])
})

await t.test('copies that were both written to have forked', async (t) => {
  const [original, copy] = [await openCopy(), await openCopy()]
  await boxWith(original.chain, 'a')
  for (const bytes of await batchesOf(original)) await copy.chain.receive([bytes])
  await Promise.all([boxWith(original.chain, 'b'), boxWith(copy.chain, 'b')])
  await boxWith(original.chain, 'c')
  const [, second, third] = await batchesOf(original)
  if (second === undefined || third === undefined) throw new Error('no batches')
  await t.rejects(copy.chain.receive([second]), { code: 'CHAIN_FORKED' })
  await t.rejects(copy.chain.receive([third]), { code: 'CHAIN_FORKED' })
})

/** Hooks of one validator. */
function judgedBy(validate: Validator): Hooks<Chain> {
  return new Hooks([{ name: 'judge', validators: [validate] }])
}

await t.test('a validator sees a batch with the chain before it, as it sees commits, and can refuse it', async (t) => {
  const original = await openCopy()
  const seen: string[] = []
  const copy = await openCopy({
    hooks: judgedBy((commit) => {
      for (const { kind, fields, before } of commit.of(Note))
        seen.push(`${kind} ${before?.text.length} ${fields?.text.length}`)
      t.strictSame([commit.who.identity, commit.elsewhere?.signers], ['', []])
      return commit.of(Note).some(({ fields }) => fields?.text === 'no') ? vote.deny('a note says no') : vote.allow
    }),
  })
  const [short, long] = await original.chain.transact((dio) =>
    [3, 200_000].map((length) => dio.store({ text: 'x'.repeat(length) }, { type: Note })),
  )
  if (short === undefined || long === undefined) throw new Error('no notes')
  await original.chain.transact(async (dio) => {
    ;(await dio.load(Note, long.key)).text += 'y'
    dio.delete(short.key)
  })
  // Or they might share a batch.
  await original.chain.sync()
  await original.chain.transact((dio) => dio.store({ text: 'no' }, { type: Note }))
  const [first, second, third] = await batchesOf(original)
  if (first === undefined || second === undefined || third === undefined) throw new Error('no batches')
  await copy.chain.receive([first])
  await copy.chain.receive([second])
  const refused = { code: 'REFUSED', message: /a note says no/ }
  await t.rejects(copy.chain.receive([third]), refused)
  t.strictSame(
    seen.sort(),
    [
      'created undefined 2',
      'created undefined 200000',
      'created undefined 3',
      'changed 200000 200001',
      'deleted 3 undefined',
    ].sort(),
  )
  t.equal(copy.memory.view.writerStatus.headSequence, 2)
  t.strictSame((await batchesOf(copy)).length, 2)
  const all = await openCopy({ hooks: judgedBy(() => vote.abstain) })
  await t.rejects(all.chain.receive([first]), { code: 'REFUSED' }, 'nobody knows what it is')
  await t.rejects(copy.chain.receive([third]), refused, 'again')
})

await t.test('what a compaction has moved is no change, and what it has dropped is judged by nobody', async (t) => {
  const original = await openCopy({}, { findReferences, collectGarbage })
  const [replaced, , ...others] = await original.chain.transact((dio) =>
    Array.from({ length: 12 }, (_, i) => dio.store({ text: `${i}`.repeat(900) }, { type: Note }).key),
  )
  if (replaced === undefined) throw new Error('no note')
  await original.chain.transact(async (dio) => {
    ;(await dio.load(Note, replaced)).text = 'changed'
    for (const key of others) dio.delete(key)
  })
  await original.memory.view.rotate()
  const before = await batchesOf(original)
  const { bodies } = await original.chain.compact()
  t.ok(bodies > 0, `${bodies} bodies were dropped`)
  const seen: string[] = []
  const hooks = judgedBy((commit) => {
    for (const { kind, before, fields } of commit.of(Note)) seen.push(`${kind} ${before?.text} ${fields?.text}`)
    return vote.allow
  })
  const [copy, older] = [await openCopy({ hooks }), await openCopy({ hooks })]
  for (const bytes of before) await older.chain.receive([bytes])
  t.equal(seen.splice(0).length, 12 + 11)
  for (const bytes of await batchesOf(original, before.length + 1)) await older.chain.receive([bytes])
  t.equal(headOf(older), headOf(original))
  t.strictSame(seen, [])
  for (const bytes of await batchesOf(original)) await copy.chain.receive([bytes], { mayMiss: true })
  t.equal(headOf(copy), headOf(original))
  t.strictSame(seen, ['created undefined changed', `created undefined ${'1'.repeat(900)}`])
})

await t.test('commits wait for a batch that is being taken in, and are judged by what it brought', async (t) => {
  const original = await openCopy()
  let admit = (): void => undefined
  const admitted = new Promise<void>((resolve) => (admit = resolve))
  const isSlow = judgedBy(async (commit) => {
    if (commit.of(Box).some(({ kind }) => kind === 'changed') && commit.elsewhere !== undefined) await admitted
    return vote.allow
  })
  const copy = await openCopy({ hooks: isSlow })
  const box = await boxWith(original.chain, 'a')
  await original.chain.transact(async (dio) => void ((await dio.load(Box, box.key)).label = 'theirs'))
  const [first, second] = await batchesOf(original)
  if (first === undefined || second === undefined) throw new Error('no batches')
  await copy.chain.receive([first])
  const dio = copy.chain.dioMut()
  ;(await dio.load(Box, box.key)).label = 'mine'
  const received = copy.chain.receive([second])
  const committed = dio.commit()
  admit()
  await received
  await t.rejects(committed, { code: 'CONFLICT' })
  t.equal((await copy.chain.dio().load(Box, box.key)).label, 'theirs')
})

await t.test('times of a batch may lie ahead by the tolerance; what comes after is later than they', async (t) => {
  const original = await openCopy({ nowMs: () => T0 + 30_000 })
  const copy = await openCopy({ nowMs: () => T0 })
  const box = await boxWith(original.chain, 'a')
  for (const bytes of await batchesOf(original)) await copy.chain.receive([bytes])
  t.equal(copy.chain.latestMs, T0 + 30_000)
  await copy.chain.transact(async (dio) => void ((await dio.load(Box, box.key)).label = 'later'))
  t.equal(infoOf(await copy.chain.dio().load(Box, box.key)).updatedAt?.getTime(), T0 + 30_000)
})

await t.test('a batch whose times lie further ahead is refused, and leaves no trace', async (t) => {
  const original = await openCopy({ nowMs: () => T0 + 3_600_000 })
  const copy = await openCopy({ nowMs: () => T0 })
  await boxWith(original.chain, 'a')
  for (const bytes of await batchesOf(original)) await t.rejects(copy.chain.receive([bytes]), { code: 'TIME_AHEAD' })
  t.equal(copy.memory.view.writerStatus.headSequence, 0)
  t.equal(copy.chain.latestMs, 0)
  const tolerant = await openCopy({ nowMs: () => T0, clockToleranceMs: 4_000_000 })
  for (const bytes of await batchesOf(original)) await tolerant.chain.receive([bytes])
})

await t.test('nor does a batch hide such a time in an object, or set the clock of the chain back', async (t) => {
  for (const [kind, value, code] of [
    [OBJECT_KIND, objectOf(T0 + 3_600_000), 'TIME_AHEAD'],
    [CLOCK_KIND, encodeClock(1), 'BATCH_REFUSED'],
    [CLOCK_KIND, undefined, 'BATCH_REFUSED'],
  ] as const) {
    const [original, copy] = [await openCopy({ nowMs: () => T0 }), await openCopy({ nowMs: () => T0 })]
    await boxWith(original.chain, 'a')
    const { view } = original.memory
    if (value === undefined) view.delete(kind, 0, 0)
    else view.put(kind, 0, 0, value)
    await view.commit()
    const [first, forged] = await batchesOf(original)
    if (first === undefined || forged === undefined) throw new Error('no batches')
    await copy.chain.receive([first])
    await t.rejects(copy.chain.receive([forged]), { code })
    t.equal(copy.chain.latestMs, T0)
  }
})

/** The record of an object of this time. */
function objectOf(ms: number): Uint8Array {
  const time = ms * 2048
  const none = { parent: undefined, rules: undefined, sealedBy: undefined, transforms: undefined, labels: new Map() }
  const record = { createdAt: time, updatedAt: time, revision: 1, type: 'Note', links: new Map(), indexed: [], ...none }
  return encodeObject({ ...record, data: Uint8Array.of(0x80) })
}

function named(name: string): Pick<ConstructorParameters<typeof Chain>[0], 'name' | 'crypto' | 'nowMs' | 'durability'> {
  return { name, crypto: nativeCrypto, nowMs: Date.now, durability: 'memory' }
}
