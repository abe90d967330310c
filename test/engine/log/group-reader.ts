/** Reading single groups: what the request path does. */
import t from 'tap'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import { AEAD_AES_128_GCM, AEAD_AES_192_GCM, AEAD_AES_256_GCM } from '../../../src/engine/crypto/suites.js'
import { createLog, GroupReader, MemoryStorage, openLog } from '../../../src/engine/log/index.js'
import type { GroupPlace, LogPoint } from '../../../src/engine/log/types.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { clock, create, crypto, draft, keys, open } from '../../helpers/log-workbench.js'

async function written(storage: FaultStorage, sessions: number): Promise<GroupPlace[]> {
  await create(storage)
  const places: GroupPlace[] = []
  let from: LogPoint | undefined
  for (let number = 1; number <= sessions; number++) {
    const { log } = await open({ storage, from })
    const [batch] = await log.append([draft(number, 3000)])
    places.push(...(batch?.groups ?? []))
    from = log.head
    await log.close()
  }
  return places
}

await t.test(
  'groups of more segments than stay open, and of more sessions than are remembered, are read',
  async (t) => {
    const storage = new FaultStorage()
    const places = await written(storage, 140)
    const reader = new GroupReader({ storage, crypto, keys })
    let wrong = 0
    for (const round of [0, 1]) {
      for (const place of round === 0 ? places : places.toReversed()) {
        if (reader.open(place).length !== place.storedBytes - 116) wrong++
      }
    }
    t.equal(wrong, 0)
    reader.close()
  },
)

await t.test('what is opened belongs to the caller', async (t) => {
  const storage = new FaultStorage()
  const [, place] = await written(storage, 1)
  if (place === undefined) return t.fail()
  const reader = new GroupReader({ storage, crypto, keys })
  const first = reader.open(place)
  const before = first.slice()
  first.fill(0)
  t.same(reader.open(place), before)
})

await t.test('a place that is not one is damage', async (t) => {
  const storage = new FaultStorage()
  const [records, content] = await written(storage, 1)
  if (records === undefined || content === undefined) return t.fail()
  const reader = new GroupReader({ storage, crypto, keys })
  const wrong: Partial<GroupPlace>[] = [
    { position: content.position + 1 },
    { position: 2 ** 40 },
    { storedBytes: content.storedBytes - 1 },
    { storedBytes: content.storedBytes + 1 },
    { storedBytes: 10 },
    { storedBytes: 2 ** 31 },
    { storedBytes: Number.NaN },
    { segment: 2 },
    { kind: 1 },
    { number: content.number + 1 },
    { random: (content.random + 1) % 2 ** 48 },
    { position: records.position, storedBytes: records.storedBytes },
  ]
  for (const change of wrong) {
    t.throws(() => reader.open({ ...content, ...change }), { code: 'BODY_DAMAGED' }, JSON.stringify(change))
  }
  t.equal(reader.open(content).length, 3000)
  t.equal(reader.open({ ...content, random: undefined }).length, 3000)
})

await t.test('either provider reads what the other wrote, with every key size', async (t) => {
  for (const suite of [AEAD_AES_128_GCM, AEAD_AES_192_GCM, AEAD_AES_256_GCM] as const) {
    for (const [writer, reader] of [
      [crypto, nobleProvider],
      [nobleProvider, crypto],
    ] as const) {
      const storage = new MemoryStorage()
      const own = deriveChainKeys(writer, new Uint8Array(32).fill(suite), new Uint8Array(16), suite)
      await createLog({ storage, crypto: writer, keys: own, clock })
      const { log } = await openLog({ storage, crypto: writer, keys: own, clock, readOnly: false, onBatch: () => {} })
      const [batch] = await log.append([draft(1, 500)])
      const place = batch?.groups[1]
      if (place === undefined) return t.fail()
      t.equal(new GroupReader({ storage, crypto: reader, keys: own }).open(place).length, 500)
      const same = deriveChainKeys(reader, new Uint8Array(32).fill(suite), new Uint8Array(16), suite)
      await openLog({
        storage,
        crypto: reader,
        keys: same,
        clock,
        readOnly: true,
        onBatch: ({ sequence }) => void t.equal(sequence, 1),
      })
      await log.close()
    }
  }
})
