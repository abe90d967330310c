/** A chain of distributed trust that takes in batches of another copy judges each before it keeps anything of it. */
import t from 'tap'
import { WriteKey } from '../../../src/engine/trust/keys.js'
import { writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { crypto, Distributed } from '../../helpers/distributed.js'
import { Box } from '../../helpers/objects.js'

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
      await chain.receive(pinned)
      await chain.receive(stored)
      const head = view.writerStatus.headSequence
      await t.rejects(chain.receive(forged), { code: 'NOT_AUTHORIZED' })
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

await t.test('a batch whose signatures come with a later one is told as such', async (t) => {
  const { ledger, key } = await ledgerOfAlice()
  await ledger.use(async (chain) => {
    const session = new AteSession({ writeKeys: [alice] })
    const add = (amount: number) =>
      chain.transact(async (dio) => (await dio.load(Box, key)).items.push({ name: 'item', amount }), { session })
    await Promise.all(Array.from({ length: 20 }, (_, i) => add(i)))
  })
  const batches = await ledger.batches()
  const copy = new Distributed(ledger.keys)
  await copy.use(async (chain) => {
    const all = async (): Promise<void> => {
      for (const batch of batches) await chain.receive(batch)
    }
    await t.rejects(all(), { code: 'NOT_SUPPORTED' })
  })
})
