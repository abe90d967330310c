/** Drops: their bytes, and what they excuse. Bytes of a body may be gone when a later, authentic batch drops it; nothing else. */
import t, { type Test } from 'tap'
import { errorCode } from '../../../src/engine/error.js'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { MAX_DROPPED_BODIES } from '../../../src/engine/limits.js'
import { type Doubt, Doubts } from '../../../src/engine/log/doubts.js'
import { decodeDrop, encodeDrop } from '../../../src/engine/log/format/drop-format.js'
import { decodeManifest } from '../../../src/engine/log/format/manifest-format.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import {
  type AppendedBatch,
  type BatchDraft,
  DROP_NUMBER,
  type Finding,
  GROUP_CONTENT,
  GROUP_DROP,
  type NumberRange,
  type ReplayedBatch,
} from '../../../src/engine/log/types.js'
import { FaultStorage, type SimulatedFile } from '../../helpers/fault-storage.js'
import { create, crypto, draft, keys, MemoryAnchor, open } from '../../helpers/log-workbench.js'
import { repairFrameCrc } from '../../helpers/stored-log.js'

const FIRST = '0000000001.seg'

function drop(...ranges: NumberRange[]): BatchDraft {
  return { groups: [{ kind: GROUP_DROP, number: DROP_NUMBER, parts: [encodeDrop(ranges)] }] }
}

await t.test('a drop has the bytes that the format says', async (t) => {
  const ranges = [
    { from: 3, to: 5 },
    { from: 9, to: 9 },
    { from: 300, to: 1299 },
  ]
  t.equal(toHex(encodeDrop(ranges)), '01' + '0303' + '0301' + 'a202e807')
  t.same(decodeDrop(encodeDrop(ranges)), ranges)
  const most = [{ from: 1, to: MAX_DROPPED_BODIES }]
  t.same(decodeDrop(encodeDrop(most)), most)
})

await t.test('what is no drop is refused', async (t) => {
  for (const [name, hex] of [
    ['nothing', ''],
    ['another format', '020301'],
    ['no ranges', '01'],
    ['group 0', '010001'],
    ['ranges that touch', '0103030001'],
    ['an empty range', '010300'],
    ['half a range', '0103'],
    ['too many', '01' + '01' + '818004'],
    ['beyond all numbers', '01ffffffffffffff0f01'],
    ['a needless byte', '01830001'],
  ] as const) {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
    t.throws(() => decodeDrop(bytes), { code: 'BAD_FORMAT' }, name)
  }
})

interface Sample {
  storage: FaultStorage
  batches: AppendedBatch[]
}

/** Batches 1 to 4 with two bodies of 3,000 bytes each, in a closed segment; then `drops` in one of their own. */
async function sample(
  drops: readonly BatchDraft[],
  options: { isAllowed?: boolean; closes?: boolean } = {},
): Promise<Sample> {
  const storage = new FaultStorage()
  await create(storage)
  const first = await open({ storage })
  const batches = await first.log.append([1, 2, 3, 4].map((number) => draft(number, 6000, 3000)))
  await first.log.close()
  const { log } = await open({ storage })
  if (options.isAllowed !== false) await log.allowDrops()
  for (const one of drops) batches.push(...(await log.append([one])))
  if (options.closes !== false) await log.close()
  return { storage, batches }
}

function file(files: Map<string, SimulatedFile>, name: string): SimulatedFile {
  const found = files.get(name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

/** The sample with the bytes of the groups with these numbers gone, and more changed. */
function without(
  { storage, batches }: Sample,
  numbers: number[],
  change?: (files: Map<string, SimulatedFile>) => void,
) {
  const files = storage.snapshot()
  for (const { number, position, storedBytes } of batches.flatMap(({ groups }) => groups))
    if (numbers.includes(number)) file(files, FIRST).bytes.fill(0, position + 64, position + storedBytes)
  change?.(files)
  return FaultStorage.holding(files)
}

async function findingsOf(storage: FaultStorage): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys })) findings.push(finding)
  return findings
}

async function isWhole(t: Test, storage: FaultStorage, what: string): Promise<ReplayedBatch[]> {
  t.same(await findingsOf(storage), [], what)
  const { batches } = await open({ storage, readOnly: true })
  return batches
}

async function isDamaged(t: Test, storage: FaultStorage, groups: number[], what: string): Promise<void> {
  const findings = await findingsOf(storage)
  t.same(
    findings.map(({ group }) => group).filter((group) => group !== undefined),
    groups,
    what,
  )
  t.ok(findings.length > 0, what)
  const opened = await open({ storage, readOnly: true }).catch((error: unknown) => errorCode(error))
  t.equal(opened, 'CHAIN_DAMAGED', what)
  const { batches } = await open({ storage, readOnly: true, allowDamage: true })
  t.ok(batches.length > 0, what)
}

const ALL = [1001, 1002, 2001, 2002, 3001, 3002, 4001, 4002]

await t.test('bytes of dropped bodies may be gone, and of no others', async (t) => {
  const dropped = await sample([drop({ from: 2001, to: 2002 }, { from: 4001, to: 4001 })])
  const batches = await isWhole(t, without(dropped, [2001, 2002, 4001]), 'all of them')
  t.same(batches.at(-1)?.dropped, [
    { from: 2001, to: 2002 },
    { from: 4001, to: 4001 },
  ])
  await isWhole(t, without(dropped, [2002]), 'one of them')
  await isWhole(t, without(dropped, []), 'none yet')
  for (const number of ALL) {
    if ([2001, 2002, 4001].includes(number)) continue
    await isDamaged(t, without(dropped, [2001, number]), [number], `${number} as well`)
  }
  await isDamaged(t, without(dropped, [3000, 2001]), [3000], 'records')
})

await t.test('one flipped byte of any live group is found behind drops', async (t) => {
  const dropped = await sample([drop({ from: 2001, to: 2002 }), drop({ from: 3002, to: 3002 })])
  for (const batch of dropped.batches) {
    for (const { number, kind, position, storedBytes, segment } of batch.groups) {
      if (kind === GROUP_CONTENT && [2001, 2002, 3002].includes(number)) continue
      const storage = without(dropped, [2001, 2002, 3002], (files) => {
        const { bytes } = file(files, `000000000${segment}.seg`)
        bytes[position + storedBytes - 1] = (bytes[position + storedBytes - 1] ?? 0) ^ 1
      })
      const findings = await findingsOf(storage)
      t.equal(findings[0]?.group, number, `group ${number} of batch ${batch.sequence}`)
    }
  }
})

await t.test('a drop excuses nothing that comes after it, and no group of records', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  await log.allowDrops()
  const batches = await log.append([drop({ from: 1000, to: 1002 }), draft(1, 6000, 3000)])
  await log.close()
  await isDamaged(t, without({ storage, batches }, [1001]), [1001], 'a body that was placed later')
  const records = await sample([drop({ from: 1000, to: 1000 })])
  await isDamaged(t, without(records, [1000]), [1000], 'records')
})

await t.test('without the flag in the manifest nothing is excused', async (t) => {
  const dropped = await sample([drop({ from: 2001, to: 2002 })], { isAllowed: false })
  await isWhole(t, without(dropped, []), 'whole')
  await isDamaged(t, without(dropped, [2001]), [2001], 'gone')
})

await t.test('programs that know no drops refuse the chain, by its manifest and by the batch', async (t) => {
  const { storage, batches } = await sample([drop({ from: 2001, to: 2002 })])
  const manifest = (await storage.readSmall('manifest', 1e6)) ?? new Uint8Array()
  t.equal(decodeManifest(crypto, manifest).format.incompat, 2)
  t.equal(new DataView(manifest.buffer, manifest.byteOffset).getUint32(20, true), 2, 'where format.md has it')
  const [group] = batches.at(-1)?.groups ?? []
  const position = group?.position ?? 0
  const segment = file(storage.snapshot(), '0000000002.seg')
  t.same([...segment.bytes.subarray(position, position + 2)], [8, 1], 'kind and critical flag in the group')
  const table = position - 32 - 48
  t.same([...segment.bytes.subarray(table, table + 2)], [8, 1], 'and in the table')
})

await t.test('in a segment that was not closed nothing is excused, and a torn drop drops nothing', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  await log.allowDrops()
  const batches = await log.append([draft(1, 6000, 3000)])
  batches.push(...(await log.append([drop({ from: 1001, to: 1002 })])))
  await isDamaged(t, without({ storage, batches }, [1001]), [1001], 'the same segment')
  const torn = await sample([drop({ from: 2001, to: 2002 })], { closes: false })
  const [group] = torn.batches.at(-1)?.groups ?? []
  const tear = (files: Map<string, SimulatedFile>): void => {
    file(files, '0000000002.seg').bytes.fill(0, (group?.position ?? 0) + 50)
  }
  t.equal((await open({ storage: without(torn, [], tear) })).batches.length, 4, 'nothing was gone: it is a torn tail')
  const opened = await open({ storage: without(torn, [2001], tear) }).catch((error: unknown) => errorCode(error))
  t.equal(opened, 'CHAIN_DAMAGED', 'what is gone was not dropped')
})

await t.test('a forged, moved, cut or foreign drop excuses nothing', async (t) => {
  const dropped = await sample([drop({ from: 2001, to: 2002 })])
  const [honest] = dropped.batches.at(-1)?.groups ?? []
  const at = honest?.position ?? 0
  const second = (files: Map<string, SimulatedFile>): SimulatedFile => file(files, '0000000002.seg')
  const isFound = async (what: string, change: (files: Map<string, SimulatedFile>) => void): Promise<void> => {
    const storage = without(dropped, [2001], change)
    const findings = await findingsOf(storage)
    t.ok(
      findings.some(({ group }) => group === 2001),
      what,
    )
    const opened = await open({ storage, readOnly: true }).catch((error: unknown) => errorCode(error))
    t.equal(opened, 'CHAIN_DAMAGED', what)
  }
  await isFound('another ciphertext', (files) => {
    second(files).bytes[at + 101] = (second(files).bytes[at + 101] ?? 0) ^ 1
  })
  await isFound('another table', (files) => {
    const { bytes } = second(files)
    bytes[at - 40] = (bytes[at - 40] ?? 0) ^ 1
    repairFrameCrc(second(files), 152)
  })
  await isFound('cut off', (files) => second(files).setLength(at))
  await isFound('blanked', (files) => second(files).bytes.fill(0, 152))
  // The same drop in another history of the same chain.
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  await log.append([draft(9)])
  await log.append([drop({ from: 2001, to: 2002 })])
  await log.close()
  const foreign = file(storage.snapshot(), FIRST)
  const salted = foreign.bytes.slice(152, foreign.length)
  await isFound('of another history', (files) => second(files).write(152, salted))
})

await t.test('what a drop named is rolled back with it', async (t) => {
  const anchor = new MemoryAnchor()
  const before = await sample([])
  const dropped = await sample([drop({ from: 2001, to: 2002 })])
  const { log } = await open({ storage: FaultStorage.holding(dropped.storage.snapshot()), anchor })
  await log.close()
  // An older manifest over segments whose bytes are gone.
  const storage = without(before, [2001])
  const opened = await open({ storage, anchor, acceptRollback: true }).catch((error: unknown) => errorCode(error))
  t.equal(opened, 'CHAIN_DAMAGED', 'the older log is damaged, and says so')
})

await t.test('doubts are kept in runs and settled by ranges', async (t) => {
  const doubts = new Doubts()
  const finding = { kind: 'group' as const, message: 'm', segment: 1, sequence: 1 }
  const doubt = (number: number, position = number * 100): Doubt => ({
    kind: GROUP_CONTENT,
    number,
    storedBytes: 100,
    finding: { ...finding, position },
  })
  for (const number of [10, 11, 12, 13, 20, 21, 40]) doubts.add(doubt(number))
  doubts.add(doubt(30))
  doubts.add(doubt(22, 5))
  doubts.settle({ from: 11, to: 12 })
  doubts.settle({ from: 1, to: 5 })
  doubts.settle({ from: 21, to: 35 })
  doubts.settle({ from: 41, to: 50 })
  t.same(
    [...doubts.left()].map(({ group, position }) => [group, position]),
    [
      [10, 1000],
      [13, 1300],
      [20, 2000],
      [40, 4000],
    ],
  )
})

await t.test('without a manifest what was dropped is still no damage, and all batches are read', async (t) => {
  const dropped = await sample([drop({ from: 2001, to: 2002 }, { from: 4001, to: 4002 })])
  for (const name of ['damaged', 'missing']) {
    const storage = without(dropped, [2001, 4001, 4002], (files) => {
      if (name === 'missing') files.delete('manifest')
      else file(files, 'manifest').bytes[70] = 99
    })
    t.match(await findingsOf(storage), [{ kind: 'manifest' }], name)
    const { batches } = await open({ storage, readOnly: true, allowDamage: true })
    t.equal(batches.length, 5, name)
  }
  const storage = without(dropped, [2001, 3001], (files) => files.delete('manifest'))
  t.match(await findingsOf(storage), [{ kind: 'manifest' }, { kind: 'group', group: 3001 }])
})
