/**
 * Every kind of change to a stored log is found when it is opened, read or verified, is named, and is never served as data,
 * whether the checksums were left wrong or made right by whoever changed it.
 */
import t, { type Test } from 'tap'
import { errorCode } from '../../../src/engine/error.js'
import { SEGMENT_HEADER_BYTES } from '../../../src/engine/log/format/segment-header.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import { type Finding, GROUP_CONTENT, type LogPoint, type ReplayedBatch } from '../../../src/engine/log/types.js'
import { GroupReader } from '../../../src/engine/log/group-reader.js'
import { FaultStorage, type SimulatedFile } from '../../helpers/fault-storage.js'
import {
  contentOf,
  create,
  crypto,
  draft,
  keys,
  MemoryAnchor,
  numbersOf,
  open,
  recordsOf,
} from '../../helpers/log-workbench.js'
import {
  type Field,
  frameFields,
  manifestFields,
  repairCrc,
  repairFrameCrc,
  segmentHeaderFields,
} from '../../helpers/stored-log.js'

type Files = Map<string, SimulatedFile>
const FIRST = '0000000001.seg'
const SECOND = '0000000002.seg'

interface Sample {
  files: Files
  batches: ReplayedBatch[]
  anchor: Uint8Array | undefined
}

/** Two segments of three equal batches (records, 50 bytes of content, 30 bytes of content) each. */
async function sample(): Promise<Sample> {
  const storage = new FaultStorage()
  await create(storage)
  const anchor = new MemoryAnchor()
  for (const first of [1, 4]) {
    const { log } = await open({ storage, anchor })
    for (let number = first; number < first + 3; number++) await log.append([draft(number, 80, 50)])
    await log.close()
  }
  const { batches } = await open({ storage, readOnly: true })
  return { files: storage.snapshot(), batches, anchor: anchor.content }
}

const original = await sample()

function changed(change: (files: Files) => void): FaultStorage {
  const files: Files = new Map([...original.files].map(([name, file]) => [name, file.copy()]))
  change(files)
  return FaultStorage.holding(files)
}

function file(files: Files, name: string): SimulatedFile {
  const found = files.get(name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

function startOf(batch: ReplayedBatch): number {
  const before = original.batches.find(
    ({ segment, sequence }) => segment === batch.segment && sequence === batch.sequence - 1,
  )
  return before?.endPosition ?? SEGMENT_HEADER_BYTES
}

async function findingsOf(storage: FaultStorage, anchor?: Uint8Array): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys, anchor: new MemoryAnchor(anchor) }))
    findings.push(finding)
  return findings
}

/** What is served of a changed log when damage is allowed: nothing that was not written there. */
async function servesOnlyTheTruth(storage: FaultStorage): Promise<string | undefined> {
  const isTruth = ({ sequence, records }: ReplayedBatch): boolean =>
    records.every((bytes) => Buffer.compare(bytes, recordsOf(sequence)) === 0)
  try {
    const { batches } = await open({ storage, readOnly: true, allowDamage: true })
    const sequences = batches.map(({ sequence }) => sequence)
    if (!batches.every(isTruth)) return 'false records were served'
    if (sequences.some((sequence, i) => i > 0 && sequence <= (sequences[i - 1] ?? 0)))
      return 'batches came out of order'
  } catch (error) {
    if (errorCode(error) === undefined) return `it failed with ${String(error)}`
  }
  const reader = new GroupReader({ storage, crypto, keys })
  for (const { groups, sequence } of original.batches) {
    for (const place of groups.filter(({ kind }) => kind === GROUP_CONTENT)) {
      try {
        const opened = reader.open(place)
        const truth = contentOf(sequence, place.number % 1000, opened.length)
        if (Buffer.compare(opened, truth) !== 0) return 'false content was served'
      } catch (error) {
        if (errorCode(error) !== 'BODY_DAMAGED') return `reading failed with ${String(error)}`
      }
    }
  }
  return undefined
}

async function judge(storage: FaultStorage): Promise<string | undefined> {
  const opened = await open({ storage, readOnly: true }).catch((error: unknown) => errorCode(error) ?? String(error))
  if (typeof opened !== 'string') return 'it opens'
  if (opened !== 'CHAIN_DAMAGED' && opened !== 'UNSUPPORTED_FORMAT') return `opening fails with ${opened}`
  if ((await findingsOf(storage)).length === 0) return 'verifying finds nothing'
  return await servesOnlyTheTruth(storage)
}

async function judgeFields(t: Test, name: string, fields: readonly Field[], repair?: (file: SimulatedFile) => void) {
  const failures: string[] = []
  for (const field of fields) {
    for (const at of new Set([field.at, field.at + field.length - 1])) {
      const storage = changed((files) => {
        const target = file(files, name)
        target.bytes[at] = (target.bytes[at] ?? 0) ^ 0x41
        repair?.(target)
      })
      const problem = await judge(storage)
      if (problem !== undefined) failures.push(`${field.name} at ${at}: ${problem}`)
    }
  }
  t.same(failures, [], `${fields.length} fields`)
}

function without(fields: readonly Field[], ...names: string[]): Field[] {
  return fields.filter(({ name }) => !names.includes(name))
}

await t.test('an untouched log has nothing wrong', async (t) => {
  const storage = changed(() => {})
  t.same(await findingsOf(storage, original.anchor), [])
  t.same(numbersOf((await open({ storage, readOnly: true })).batches), [1, 2, 3, 4, 5, 6])
  t.equal(await servesOnlyTheTruth(storage), undefined)
})

await t.test('a flipped byte in any field of a batch is found', async (t) => {
  for (const batch of original.batches) {
    const fields = frameFields(
      startOf(batch),
      batch.groups.map(({ storedBytes }) => storedBytes),
    )
    const end = fields.at(-1)
    t.equal((end?.at ?? 0) + (end?.length ?? 0), batch.endPosition, 'the fields cover the frame')
    if (batch.sequence % 2 === 1) await judgeFields(t, batch.segment === 1 ? FIRST : SECOND, fields)
  }
})

await t.test('a changed field with the checksum made right is found', async (t) => {
  const batch = original.batches[1]
  if (batch === undefined) return t.fail()
  const start = startOf(batch)
  const fields = frameFields(
    start,
    batch.groups.map(({ storedBytes }) => storedBytes),
  )
  // Changing the lengths moves the checksum itself.
  const honest = without(fields, 'frame crc', 'frame salt', 'head length', 'ciphertext', 'tag', 'padding')
  await judgeFields(t, FIRST, honest, (target) => repairFrameCrc(target, start))
})

await t.test('a changed head is not believed where an index says that the log was read up to there', async (t) => {
  for (const last of [original.batches[2], original.batches[5]]) {
    if (last === undefined) return t.fail()
    const { sequence, digest, segment, endPosition } = last
    const name = segment === 1 ? FIRST : SECOND
    const fields = frameFields(startOf(last), [])
    for (const { name: field, at } of fields.slice(fields.findIndex(({ name }) => name === 'format'))) {
      const storage = changed((files) => {
        const target = file(files, name)
        target.bytes[at] = (target.bytes[at] ?? 0) ^ 1
        repairFrameCrc(target, startOf(last))
      })
      const from = { sequence, digest, segment, position: endPosition }
      const opened = await open({ storage, from }).catch((error: unknown) => errorCode(error))
      t.match(opened, /CHAIN_DAMAGED|UNSUPPORTED_FORMAT/, `${field} of batch ${sequence}`)
    }
  }
})

await t.test('a flipped byte in any field of a segment header is found', async (t) => {
  await judgeFields(t, SECOND, segmentHeaderFields())
  await judgeFields(t, SECOND, without(segmentHeaderFields(), 'crc'), (target) =>
    repairCrc(target, SEGMENT_HEADER_BYTES),
  )
})

await t.test('a flipped byte in any field of the manifest is found', async (t) => {
  const { length } = file(original.files, 'manifest')
  await judgeFields(t, 'manifest', manifestFields(2))
  await judgeFields(t, 'manifest', without(manifestFields(2), 'crc'), (target) => repairCrc(target, length))
})

async function judgeChange(t: Test, name: string, change: (files: Files) => void): Promise<void> {
  t.equal(await judge(changed(change)), undefined, name)
}

await t.test('batches that were dropped, moved, swapped, repeated or blanked are found', async (t) => {
  const [a, b, c] = original.batches
  if (a === undefined || b === undefined || c === undefined) return t.fail()
  const cut = (files: Files, from: number, to: number): Uint8Array => file(files, FIRST).bytes.slice(from, to)
  const frame = (files: Files, batch: ReplayedBatch): Uint8Array => cut(files, startOf(batch), batch.endPosition)
  await judgeChange(t, 'dropped, the rest moved up', (files) => {
    const rest = cut(files, b.endPosition, c.endPosition)
    file(files, FIRST).write(startOf(b), rest)
    file(files, FIRST).setLength(startOf(b) + rest.length)
  })
  await judgeChange(t, 'dropped in place', (files) => file(files, FIRST).bytes.fill(0, startOf(b), b.endPosition))
  await judgeChange(t, 'swapped', (files) => {
    const [first, second] = [frame(files, a), frame(files, b)]
    file(files, FIRST).write(startOf(a), second)
    file(files, FIRST).write(startOf(b), first)
  })
  await judgeChange(t, 'repeated over the next', (files) => file(files, FIRST).write(startOf(b), frame(files, a)))
  await judgeChange(t, 'repeated over the last', (files) => file(files, FIRST).write(startOf(c), frame(files, b)))
  await judgeChange(t, 'the end cut off', (files) => file(files, FIRST).setLength(startOf(c)))
  await judgeChange(t, 'the end of the last segment cut off', (files) => file(files, SECOND).setLength(startOf(b)))
})

await t.test('groups that were swapped or taken from elsewhere are found', async (t) => {
  const [a, b] = original.batches
  const [first, second] = [a?.groups[1], b?.groups[1]]
  if (first === undefined || second === undefined) return t.fail()
  const swap = (files: Files): void => {
    const target = file(files, FIRST)
    const bytes = [first, second].map(({ position, storedBytes }) =>
      target.bytes.slice(position, position + storedBytes),
    )
    target.write(first.position, bytes[1] ?? new Uint8Array())
    target.write(second.position, bytes[0] ?? new Uint8Array())
  }
  await judgeChange(t, 'swapped groups', swap)
  const reader = new GroupReader({ storage: changed(swap), crypto, keys })
  t.throws(() => reader.open(first), { code: 'BODY_DAMAGED' })
})

await t.test('segments that were swapped, dropped, put back or added are found', async (t) => {
  const older = FaultStorage.holding(original.files)
  const { log } = await open({ storage: older })
  await log.append([draft(7)])
  await log.close()
  const newer = older.snapshot()
  await judgeChange(t, 'swapped segments', (files) => {
    const [first, second] = [file(files, FIRST), file(files, SECOND)]
    files.set(FIRST, second).set(SECOND, first)
  })
  await judgeChange(t, 'a missing segment', (files) => files.delete(FIRST))
  await judgeChange(t, 'an older manifest', (files) => files.set('0000000003.seg', file(newer, '0000000003.seg')))
  await judgeChange(t, 'a newer manifest', (files) => files.set('manifest', file(newer, 'manifest')))
})

await t.test('a log put back to an older state is refused, and taken when that is meant', async (t) => {
  const storage = FaultStorage.holding(original.files)
  const anchor = new MemoryAnchor(original.anchor)
  const { log } = await open({ storage, anchor })
  await log.append([draft(7)])
  await log.close()
  const rolledBack = FaultStorage.holding(original.files)
  await t.rejects(open({ storage: rolledBack, anchor }), { code: 'CHAIN_ROLLED_BACK' })
  t.match(await findingsOf(rolledBack, anchor.content), [{ kind: 'rollback', sequence: 7 }])
  const taken = await open({ storage: rolledBack, anchor, acceptRollback: true })
  t.same(numbersOf(taken.batches), [1, 2, 3, 4, 5, 6])
  await taken.log.close()
  const again = await open({ storage: rolledBack, anchor })
  t.notOk(again.anchorMissing)
  await again.log.close()
})

/** The original, continued by whoever has `anchor`. With the log's points behind its new batches. */
async function fork(
  anchor: MemoryAnchor,
  ...numbers: number[]
): Promise<{ storage: FaultStorage; points: LogPoint[] }> {
  const storage = FaultStorage.holding(original.files)
  const { log } = await open({ storage, anchor })
  const batches = []
  for (const number of numbers) batches.push(...(await log.append([draft(number)])))
  await log.close()
  return { storage, points: batches.map((batch) => ({ ...batch, position: batch.endPosition })) }
}

await t.test('another history of the same length is refused', async (t) => {
  const anchor = new MemoryAnchor(original.anchor)
  await fork(anchor, 7)
  const { storage } = await fork(new MemoryAnchor(), 7)
  await t.rejects(open({ storage, anchor }), { code: 'CHAIN_ROLLED_BACK' })
})

await t.test('another history is refused where an index has taken in more than the anchor knows', async (t) => {
  const anchor = new MemoryAnchor(original.anchor)
  await fork(anchor, 7)
  const { storage, points } = await fork(new MemoryAnchor(), 7, 8, 9)
  await t.rejects(open({ storage, anchor, from: points[2] }), { code: 'CHAIN_ROLLED_BACK' })
  const own = await open({ storage, anchor: new MemoryAnchor(original.anchor), from: points[2] })
  t.same(numbersOf(own.batches), [], 'the same history is read from where the index stands')
})

await t.test('a group of the same number from a copy of the chain is not taken for the original', async (t) => {
  const [first, second] = await Promise.all(
    [1, 2].map(async () => {
      const storage = FaultStorage.holding(original.files)
      const { log } = await open({ storage })
      const [batch] = await log.append([draft(7, 50)])
      return { storage, place: batch?.groups[1] }
    }),
  )
  const place = first?.place
  if (place === undefined || second === undefined) return t.fail()
  t.match(second.place, { position: place.position, storedBytes: place.storedBytes, number: place.number })
  const reader = new GroupReader({ storage: second.storage, crypto, keys })
  t.throws(() => reader.open(place), { code: 'BODY_DAMAGED' })
})

await t.test('what a finding names is where the damage is', async (t) => {
  const batch = original.batches[4]
  const group = batch?.groups[2]
  if (batch === undefined || group === undefined) return t.fail()
  const storage = changed((files) => file(files, SECOND).bytes.fill(0, group.position + 110, group.position + 120))
  t.same(await findingsOf(storage), [
    {
      kind: 'group',
      message: 'the group has another digest than its batch says',
      segment: 2,
      position: group.position,
      sequence: 5,
      group: group.number,
    },
  ])
  const { batches } = await open({ storage, readOnly: true, allowDamage: true })
  t.same(numbersOf(batches), [1, 2, 3, 4, 5, 6], 'the rest is readable')
})

await t.test('in a log that was not closed, damage is told from a torn tail', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const anchor = new MemoryAnchor()
  const { log } = await open({ storage, anchor })
  const batches = [await log.append([draft(1)]), await log.append([draft(2)]), await log.append([draft(3)])].flat()
  const known = anchor.content
  const damaged = (sequence: number): FaultStorage => {
    const files = storage.snapshot()
    const position = batches[sequence - 1]?.groups[0]?.position ?? 0
    file(files, FIRST).bytes.fill(7, position, position + 8)
    return FaultStorage.holding(files)
  }
  await t.rejects(
    open({ storage: damaged(1) }),
    { code: 'CHAIN_DAMAGED' },
    'a later batch says that this one was durable',
  )
  await t.rejects(
    open({ storage: damaged(2) }),
    { code: 'CHAIN_DAMAGED' },
    'a later batch says that this one was durable',
  )
  await t.rejects(
    open({ storage: damaged(3), anchor }),
    { code: 'CHAIN_DAMAGED' },
    'the anchor says that it was durable',
  )
  t.same(numbersOf((await open({ storage: damaged(3) })).batches), [1, 2], 'nobody says so: it is a torn tail')
  t.same(
    numbersOf((await open({ storage: damaged(3), anchor, acceptRollback: true })).batches),
    [1, 2],
    'it is accepted',
  )
  t.match(await findingsOf(damaged(2)), [{ kind: 'group', sequence: 2 }])
  t.same(await findingsOf(damaged(3)), [])
  t.match(await findingsOf(damaged(3), known), [{ kind: 'group', sequence: 3 }])
})

await t.test('an anchor that was changed says nothing', async (t) => {
  const anchor = new MemoryAnchor(original.anchor?.slice())
  if (anchor.content === undefined) return t.fail()
  for (let at = 0; at < anchor.content.length; at++) {
    const bytes = anchor.content.slice()
    bytes[at] = (bytes[at] ?? 0) ^ 1
    const findings: Finding[] = []
    const opened = await open({
      storage: changed(() => {}),
      readOnly: true,
      anchor: new MemoryAnchor(bytes),
      onFinding: (finding) => findings.push(finding),
    })
    if (!opened.anchorMissing || findings.length !== 1) t.fail(`byte ${at}`)
  }
})
