/** Forgettings: their bytes, and what they excuse. Records up to a batch may be gone when a later, authentic batch and the manifest say so. */
import t from 'tap'
import { errorCode } from '../../../src/engine/error.js'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { decodeForget, encodeForget } from '../../../src/engine/log/format/forget-format.js'
import { decodeManifest, encodeManifest } from '../../../src/engine/log/format/manifest-format.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import {
  type AppendedBatch,
  type BatchDraft,
  DROP_NUMBER,
  GROUP_FORGET,
  GROUP_RECORDS,
} from '../../../src/engine/log/types.js'
import { FaultStorage, type SimulatedFile } from '../../helpers/fault-storage.js'
import { create, crypto, draft, keys, open } from '../../helpers/log-workbench.js'

const forget = (sequence: number): BatchDraft => ({
  groups: [{ kind: GROUP_FORGET, number: DROP_NUMBER, parts: [encodeForget(sequence)] }],
})

await t.test('a forgetting has the bytes that the format says, and others are refused', async (t) => {
  t.equal(toHex(encodeForget(300)), '012c01000000000000')
  t.equal(decodeForget(encodeForget(300), 301), 300)
  for (const [name, hex] of [
    ['nothing', ''],
    ['another format', '022c01000000000000'],
    ['cut off', '012c010000'],
    ['too long', '012c0100000000000000'],
    ['no batch', '010000000000000000'],
    ['its own batch', '012d01000000000000'],
    ['beyond all numbers', '01ffffffffffffffff'],
  ] as const)
    t.throws(() => decodeForget(Uint8Array.from(Buffer.from(hex, 'hex')), 301), { code: 'BAD_FORMAT' }, name)
})

/** Batches 1 to 4 in a closed segment, then one that forgets those up to `sequence`. */
async function sample(sequence: number, said = sequence): Promise<{ storage: FaultStorage; batches: AppendedBatch[] }> {
  const storage = new FaultStorage()
  await create(storage)
  const first = await open({ storage })
  const batches = await first.log.append([1, 2, 3, 4].map((number) => draft(number, 3000)))
  await first.log.close()
  const { log } = await open({ storage })
  batches.push(...(await log.append([forget(sequence)])))
  if (said > 0) await log.setForgotten({ sequence: said, freed: 0 })
  await log.close()
  return { storage, batches }
}

/** With the records of these batches gone, and more changed. */
function without(
  { storage, batches }: { storage: FaultStorage; batches: AppendedBatch[] },
  sequences: number[],
  change?: (files: Map<string, SimulatedFile>) => void,
): FaultStorage {
  const files = storage.snapshot()
  for (const { sequence, groups } of batches)
    for (const { kind, position, storedBytes } of groups)
      if (kind === GROUP_RECORDS && sequences.includes(sequence))
        files.get('0000000001.seg')?.bytes.fill(0, position, position + storedBytes)
  change?.(files)
  return FaultStorage.holding(files)
}

async function findingsIn(storage: FaultStorage): Promise<(number | undefined)[]> {
  const sequences: (number | undefined)[] = []
  for await (const { sequence } of verifyLog({ storage, crypto, keys })) sequences.push(sequence)
  return sequences
}

await t.test('records of forgotten batches may be gone, are not read, and no others may', async (t) => {
  const forgotten = await sample(3)
  for (const gone of [[], [2], [1, 2, 3]]) {
    const storage = without(forgotten, gone)
    t.same(await findingsIn(storage), [])
    const { batches } = await open({ storage, readOnly: true })
    t.same(
      batches.map(({ records, forgets }) => [records.length, forgets]),
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [1, 0],
        [0, 3],
      ],
    )
  }
  const storage = without(forgotten, [1, 4])
  t.same(await findingsIn(storage), [4])
  t.equal(await open({ storage, readOnly: true }).catch((error: unknown) => errorCode(error)), 'CHAIN_DAMAGED')
})

await t.test('without the word of the manifest, or of a batch, nothing may be gone', async (t) => {
  const unsaid = await sample(3, 0)
  t.same(await findingsIn(without(unsaid, [])), [])
  t.same(await findingsIn(without(unsaid, [2])), [2])
  const { batches } = await open({ storage: without(unsaid, []), readOnly: true })
  t.equal(batches[1]?.records.length, 1, 'who has them reads them')
  const more = await sample(2, 3)
  t.same(await findingsIn(without(more, [3])), [3], 'the batch says less')
  t.equal(await open({ storage: without(more, [3]) }).catch((error: unknown) => errorCode(error)), 'CHAIN_DAMAGED')
})

await t.test('content of forgotten batches, their heads and forgettings themselves are verified as ever', async (t) => {
  const forgotten = await sample(3)
  for (const batch of forgotten.batches)
    for (const { kind, number, position, storedBytes, segment } of batch.groups) {
      if (kind === GROUP_RECORDS && batch.sequence <= 3) continue
      const storage = without(forgotten, [1, 2, 3], (files) => {
        const { bytes } = files.get(`000000000${segment}.seg`) ?? { bytes: new Uint8Array() }
        bytes[position + storedBytes - 1] = (bytes[position + storedBytes - 1] ?? 0) ^ 1
      })
      t.equal((await findingsIn(storage))[0], batch.sequence, `group ${number}`)
    }
})

await t.test('programs that know no forgetting refuse the chain, by its manifest and by the batch', async (t) => {
  const { storage, batches } = await sample(3)
  const bytes = (await storage.readSmall('manifest', 1e6)) ?? new Uint8Array()
  const manifest = decodeManifest(crypto, bytes)
  t.equal(manifest.format.incompat, 8)
  t.same(manifest.forgotten, { sequence: 3, freed: 0 })
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  t.same([view.getUint32(20, true), view.getBigUint64(64, true), view.getBigUint64(72, true)], [8, 3n, 0n])
  const position = batches.at(-1)?.groups[0]?.position ?? 0
  const segment = storage.snapshot().get('0000000002.seg')?.bytes ?? new Uint8Array()
  t.same([...segment.subarray(position, position + 2)], [9, 1], 'kind and critical flag')
  for (const forgotten of [
    { sequence: 6, freed: 0 },
    { sequence: 0, freed: 0 },
    { sequence: 3, freed: 4 },
  ]) {
    const wrong = encodeManifest(crypto, keys.manifestKey, { ...manifest, forgotten })
    t.throws(() => decodeManifest(crypto, wrong), { code: 'BAD_FORMAT' })
  }
  const format = { ...manifest.format, incompat: 4 | 8 }
  const proven = encodeManifest(crypto, keys.manifestKey, { ...manifest, format })
  t.throws(() => decodeManifest(crypto, proven), { code: 'BAD_FORMAT' }, 'distributed trust forgets nothing')
})

await t.test('without a manifest the batches say what is forgotten', async (t) => {
  const storage = without(await sample(3), [1, 3], (files) => files.delete('manifest'))
  t.same((await findingsIn(storage)).length, 1, 'the manifest is missing, and nothing else')
  const { batches } = await open({ storage, readOnly: true, allowDamage: true })
  t.same(
    batches.map(({ records }) => records.length),
    [0, 0, 0, 1, 0],
  )
})
