/** A power failure between batches that share signatures: what had none yet counts for nobody, and the chain goes on. */
import t from 'tap'
import type { Chain } from '../../../src/engine/dio/chain.js'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { WriteKey } from '../../../src/engine/trust/keys.js'
import { writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { crypto, Distributed } from '../../helpers/distributed.js'
import { FaultStorage, mediumAfter, type Operation } from '../../helpers/fault-storage.js'
import { Box, collected } from '../../helpers/objects.js'

const keyOf = (seed: number): WriteKey => WriteKey.fromSeed(crypto, new Uint8Array(64).fill(seed))
const [root, alice] = [keyOf(1), keyOf(2)]
const names = Array.from({ length: 8 }, (_, i) => `item ${i}`)

async function push(chain: Chain, key: ObjectKey, name: string): Promise<void> {
  const work = async (dio: DioMut): Promise<unknown> => (await dio.load(Box, key)).items.push({ name, amount: 1 })
  await chain.transact(work, { session: new AteSession({ writeKeys: [alice] }) })
}

async function itemsOf(chain: Chain, key: ObjectKey): Promise<string[]> {
  return (await collected((await chain.dio().load(Box, key)).items)).map(({ name }) => name)
}

/** A chain whose last write is several batches with one signature, and all that was asked of its storage. */
async function chainOfAlice() {
  const storage = new FaultStorage()
  const ledger = new Distributed(undefined, storage)
  const operations: Operation[] = []
  const key = await ledger.use(async (chain) => {
    await chain.pinRootKeys([root.id])
    const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
    const box = dio.store({ label: 'of Alice' }, { type: Box })
    dio.protect(box, { write: writeBy.only(alice) })
    await dio.commit()
    await chain.sync()
    await Promise.all(names.map((name) => push(chain, box.key, name)))
    await chain.sync()
    operations.push(...storage.operations)
    return box.key
  })
  const at = operations.findLastIndex((one) => one.kind === 'write' && one.bytes.some((byte) => byte !== 0))
  const write = operations[at]
  if (write?.kind !== 'write') throw new Error('nothing was written')
  return { keys: ledger.keys, key, before: operations.slice(0, at), write }
}

await t.test('whatever part of it came to the medium, every reader comes to the same', async (t) => {
  const { keys, key, before, write } = await chainOfAlice()
  const outcomes = new Set<string>()
  for (let cut = 0; cut <= 10; cut++) {
    const bytes = write.bytes.subarray(0, Math.floor((write.bytes.length * cut) / 10))
    const medium = FaultStorage.holding(mediumAfter([...before, { ...write, bytes }], 'all'))
    const torn = new Distributed(keys, medium)
    const found = await torn.use(async (chain, { refused }) => {
      t.ok(refused.every(({ code, signers }) => code === 'NOT_AUTHORIZED' && signers.length === 0))
      const items = await itemsOf(chain, key)
      t.strictSame(items, names.slice(0, items.length), `cut ${cut}: a prefix of what was committed`)
      await push(chain, key, 'after')
      outcomes.add(
        `${items.length < names.length ? 'some' : 'all'} taken, ${refused.length > 0 ? 'some' : 'none'} refused`,
      )
      return { items: [...items, 'after'], refused }
    })
    await torn.use(async (chain, { refused }) => {
      t.strictSame({ items: await itemsOf(chain, key), refused }, found, `cut ${cut}: for the next reader too`)
    })
  }
  t.strictSame([...outcomes].sort(), [
    'all taken, none refused',
    'some taken, none refused',
    'some taken, some refused',
  ])
})
