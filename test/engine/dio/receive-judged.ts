/** A chain of distributed trust that takes in batches of another copy judges each before it keeps anything of it. */
import t from 'tap'
import type { Chain } from '../../../src/engine/dio/chain.js'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import { encodeClock } from '../../../src/engine/dio/hybrid-clock.js'
import { CLOCK_KIND } from '../../../src/engine/dio/kinds.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { errorCode } from '../../../src/engine/error.js'
import { type BatchBytes, openLog } from '../../../src/engine/log/index.js'
import { keyIdOf as idOf, WriteKey } from '../../../src/engine/trust/keys.js'
import { writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { crypto, Distributed, rewrite, runsOf } from '../../helpers/distributed.js'
import { Box, collected } from '../../helpers/objects.js'

const [root, alice, mallory] = [keyOf(1), keyOf(2), keyOf(3)]

function keyOf(seed: number): WriteKey {
  return WriteKey.fromSeed(crypto, new Uint8Array(64).fill(seed))
}

async function ledgerOfAlice() {
  const ledger = new Distributed()
  const key = await ledger.use(async (chain) => {
    await chain.pinRootKeys([root.id])
    await chain.sync()
    const dio = chain.dioMut(new AteSession({ writeKeys: [root, alice] }))
    const box = dio.store({ label: 'of Alice' }, { type: Box })
    dio.protect(box, { write: writeBy.only(alice) })
    await dio.commit()
    return box.key
  })
  return { ledger, key }
}

await t.test(
  'batches of those who may are taken in, and the one of who may not is refused: nothing of it is kept',
  async (t) => {
    const { ledger, key } = await ledgerOfAlice()
    await ledger.lawless(async (dio) => void ((await dio.load(Box, key)).label = 'of Mallory'), mallory)
    const [pinned, stored, forged] = await ledger.batches()
    if (pinned === undefined || stored === undefined || forged === undefined) return t.fail()
    const copy = new Distributed(ledger.keys)
    await copy.use(async (chain, { view }) => {
      await chain.receive([pinned])
      await chain.receive([stored])
      const head = view.writerStatus.headSequence
      await t.rejects(chain.receive([forged]), { code: 'NOT_AUTHORIZED' })
      t.equal(view.writerStatus.headSequence, head)
      t.equal((await chain.dio().load(Box, key)).label, 'of Alice')
      await chain.transact(async (dio) => void ((await dio.load(Box, key)).label = 'changed'), {
        session: new AteSession({ writeKeys: [alice] }),
      })
    })
    await copy.use(async (chain, { refused }) => {
      t.strictSame(refused, [])
      t.equal((await chain.dio().load(Box, key)).label, 'changed', 'and goes on')
    })
  },
)

await t.test('a batch of a runaway clock is refused, and the chain goes on', async (t) => {
  const { ledger, key } = await ledgerOfAlice()
  await ledger.raw((view) => view.put(CLOCK_KIND, 0, 0, encodeClock(Number.MAX_SAFE_INTEGER)), mallory)
  const [pinned, stored, forged] = await ledger.batches()
  if (pinned === undefined || stored === undefined || forged === undefined) return t.fail()
  const copy = new Distributed(ledger.keys)
  await copy.use(async (chain) => {
    for (const bytes of [pinned, stored]) await chain.receive([bytes])
    await t.rejects(chain.receive([forged]), { code: 'TIME_AHEAD', message: /2100/ })
    await chain.transact(async (dio) => void ((await dio.load(Box, key)).label = 'changed'), {
      session: new AteSession({ writeKeys: [alice] }),
    })
  })
})

/** The one run of a ledger that shares signatures, and those before it. */
async function sharedRunOf(ledger: Distributed): Promise<{ before: BatchBytes[][]; shared: BatchBytes[] }> {
  const runs = await runsOf(ledger)
  const shared = runs.pop()
  if (shared === undefined || shared.length < 2) throw new Error('no signatures are shared')
  return { before: runs, shared }
}

async function takeAll(chain: Chain, runs: readonly BatchBytes[][]): Promise<void> {
  for (const run of runs) await chain.receive(run)
}

await t.test('batches that share signatures are taken in together, and the copy is the chain', async (t) => {
  const { ledger, key } = await ledgerOfAlice()
  const add = (chain: Chain, amount: number): Promise<unknown> =>
    chain.transact(async (dio) => (await dio.load(Box, key)).items.push({ name: 'item', amount }), {
      session: new AteSession({ writeKeys: [alice] }),
    })
  const amountsOf = async (chain: Chain): Promise<number[]> => {
    const { items } = await chain.dio().load(Box, key)
    return (await collected(items)).map(({ amount }) => amount)
  }
  const [original, expected] = await ledger.use(async (chain, { view }) => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => add(chain, i)))
    await chain.sync()
    return [view.writerStatus, await amountsOf(chain)]
  })
  const runs = await runsOf(ledger)
  t.ok(runs.some(({ length }) => length > 1))
  const copy = new Distributed(ledger.keys)
  await copy.use(async (chain, { view }) => {
    await takeAll(chain, runs)
    t.same(view.writerStatus.headDigest, original.headDigest)
    t.strictSame(await amountsOf(chain), expected)
    await add(chain, 100)
  })
  await copy.use(async (chain, { refused }) => {
    t.strictSame(refused, [])
    t.strictSame(await amountsOf(chain), [...expected, 100], 'and goes on')
  })
})

/** Versions of one object, each signed by one of these, in one append: the one before it is under way when they come. */
async function appendTogether(ledger: Distributed, key: ObjectKey, ...signers: WriteKey[]): Promise<void> {
  await ledger.raw(async (view) => {
    const commits = [alice, ...signers].map((signer, i) => {
      rewrite(view, key, { data: Uint8Array.of(i) })
      return view.commit({ isDurable: true, signers: [signer.signing] })
    })
    await Promise.all(commits)
  })
}

await t.test('where one of them is not rightful none is kept, and each is judged by those before it', async (t) => {
  for (const place of [0, 1, 2, undefined]) {
    const { ledger, key } = await ledgerOfAlice()
    await appendTogether(ledger, key, ...[0, 1, 2].map((i) => (i === place ? mallory : alice)))
    const { before, shared } = await sharedRunOf(ledger)
    t.equal(shared.length, 3)
    await new Distributed(ledger.keys).use(async (chain, { view }) => {
      await takeAll(chain, before)
      const head = view.writerStatus.headSequence
      if (place === undefined) await t.resolves(chain.receive(shared))
      else await t.rejects(chain.receive(shared), { code: 'NOT_AUTHORIZED' }, `${place}`)
      t.equal(view.writerStatus.headSequence, head + (place === undefined ? 3 : 0))
    })
  }
})

await t.test(
  'a run that is cut before its signatures, or after it began, is refused, and can come again',
  async (t) => {
    const { ledger, key } = await ledgerOfAlice()
    await appendTogether(ledger, key, alice, alice, alice)
    const { before, shared } = await sharedRunOf(ledger)
    const copy = new Distributed(ledger.keys)
    await copy.use(async (chain, { view }) => {
      await takeAll(chain, before)
      const head = view.writerStatus.headSequence
      for (const cut of [1, 2])
        await t.rejects(chain.receive(shared.slice(0, cut)), { code: 'BATCH_REFUSED', hint: /export up to/ })
      await t.rejects(chain.receive(shared.slice(1)), { code: 'CHAIN_GAP' })
      await t.rejects(chain.receive([]), { code: 'BAD_ARGUMENT' })
      t.equal(view.writerStatus.headSequence, head)
      await chain.receive(shared)
      t.equal(view.writerStatus.headSequence, head + 3)
    })
    const torn = new Distributed(ledger.keys)
    await torn.use(async (chain) => takeAll(chain, before))
    const [first, ...rest] = shared
    if (first === undefined) return t.fail()
    const { log } = await openLog({
      storage: torn.storage,
      crypto,
      keys: torn.keys,
      clock: Date.now,
      readOnly: false,
      onBatch: () => undefined,
    })
    await log.receive([first], { isDurable: true, mayMiss: false, accept: () => undefined })
    await log.close()
    await torn.use(async (chain, { refused }) => {
      t.match(refused, [{ code: 'NOT_AUTHORIZED' }], 'a copy that broke off between them')
      await t.rejects(chain.receive(rest), { code: 'BATCH_REFUSED', hint: /earlier/ })
    })
  },
)

await t.test('a batch that every reader refuses can be kept as refused: what comes behind it comes, too', async (t) => {
  const { ledger, key } = await ledgerOfAlice()
  const label = (text: string) => async (dio: DioMut) => void ((await dio.load(Box, key)).label = text)
  const session = new AteSession({ writeKeys: [alice] })
  await ledger.lawless(label('m'.repeat(9000)), mallory)
  // Of one's own in its place: numbers of what was refused are given out again.
  const own = 'a'.repeat(9000)
  await ledger.use((chain) => chain.transact(label(own), { session }))
  await ledger.raw((view) => view.put(CLOCK_KIND, 0, 0, encodeClock(Number.MAX_SAFE_INTEGER)), mallory)
  await ledger.use((chain) =>
    chain.transact(async (dio) => void (await dio.load(Box, key)).items.push({ name: 'item', amount: 1 }), { session }),
  )
  const [codes, end] = await ledger.use(async (_, { refused, view }) => [refused, view.writerStatus.headDigest])
  t.strictSame(
    codes.map(({ sequence, code }) => [sequence, code]),
    [
      [3, 'NOT_AUTHORIZED'],
      [5, 'TIME_AHEAD'],
    ],
  )

  const copy = new Distributed(ledger.keys)
  const seen = async (chain: Chain): Promise<unknown> => {
    const { label, items } = await chain.dio().load(Box, key)
    return [label, (await collected(items)).map(({ name }) => name)]
  }
  await copy.use(async (chain, { view }) => {
    const told: unknown[] = []
    for (const run of await runsOf(ledger))
      await chain.receive(run, {
        onRefused: ({ sequence, error, signers }) =>
          told.push({ sequence, code: errorCode(error), signers: signers.map(idOf) }),
      })
    t.strictSame(told, codes, 'for the same reasons')
    t.same(view.writerStatus.headDigest, end)
    t.strictSame(await seen(chain), [own, ['item']])
    await chain.transact(label('goes on'), { session })
  })
  await copy.use(async (chain, { refused }) => {
    t.strictSame(refused, codes, 'and by who reads the copy')
    t.strictSame(await seen(chain), ['goes on', ['item']])
  })
})
