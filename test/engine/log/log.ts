/** Appending: space, failures of the storage, and closing. */
import t, { type Test } from 'tap'
import { AteError, errorCode } from '../../../src/engine/error.js'
import { type Log, verifyLog } from '../../../src/engine/log/index.js'
import type { BatchDraft } from '../../../src/engine/log/types.js'
import { FaultStorage, mediumAfter } from '../../helpers/fault-storage.js'
import {
  contentIsRight,
  create,
  crypto,
  draft,
  keys,
  MemoryAnchor,
  numbersOf,
  open,
} from '../../helpers/log-workbench.js'

const MIB = 1024 * 1024

async function opened(storage: FaultStorage) {
  await create(storage)
  const { log } = await open({ storage })
  return log
}

await t.test('space is promised only where it was reserved', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  t.equal(log.availableBytes(false), 0)
  t.equal(log.availableBytes(true), 0)
  await log.makeRoom()
  t.ok(log.availableBytes(false) >= 63 * MIB)
  t.ok(log.availableBytes(true) >= log.availableBytes(false) + 3 * MIB)
  const before = log.availableBytes(false)
  const batch = draft(1, 10_000)
  await log.append([batch])
  t.equal(log.availableBytes(false), before - log.bytesOf(batch))
  await log.makeRoom(100 * MIB)
  t.ok(log.availableBytes(false) >= before + 99 * MIB)
  await log.close()
  t.ok(storage.usedBytes() < 20_000, 'all that was reserved is given back')
})

await t.test('a nearly full disk is used in ever smaller steps, and then there is no space', async (t) => {
  const storage = new FaultStorage({ capacityBytes: 40 * MIB })
  const log = await opened(storage)
  let number = 1
  for (;;) {
    try {
      await log.append([draft(number, MIB, 65_536)])
      number++
    } catch (error) {
      t.equal(errorCode(error), 'NO_SPACE')
      break
    }
  }
  t.ok(number > 30, `${number} MiB of 40 were written`)
  await t.rejects(log.makeRoom(), { code: 'NO_SPACE' })
  t.ok(storage.usedBytes() <= 40 * MIB)
  storage.capacityBytes = 80 * MIB
  await log.makeRoom()
  await log.append([draft(number, MIB, 65_536)])
  await log.close()
  const { batches } = await open({ storage, readOnly: true })
  t.equal(batches.length, number)
  t.ok(contentIsRight(storage, batches))
})

await t.test('what was promised is kept on a full disk, with the spare for what is essential', async (t) => {
  const storage = new FaultStorage({ capacityBytes: 64 * MIB })
  const log = await opened(storage)
  await log.makeRoom()
  storage.capacityBytes = storage.usedBytes()
  let number = 1
  const next = () => draft(number++, 500_000, 65_536)
  const bytes = log.bytesOf(draft(0, 500_000, 65_536))
  while (log.availableBytes(false) >= bytes) await log.append([next()])
  const last = number
  t.ok(last > 60, `${last} batches without the spare`)
  while (log.availableBytes(true) >= bytes) {
    await log.append([next()])
    t.ok(log.availableBytes(false) < bytes, 'what was the spare is not for everyone')
  }
  t.ok(number > last + 6, `${number - last} with it`)
  await t.rejects(log.append([next()]), { code: 'NO_SPACE' })
  await log.close()
  t.equal((await open({ storage, readOnly: true })).batches.length, number - 2)
})

await t.test('where the disk has no room for a new segment, the old one grows', async (t) => {
  const storage = new FaultStorage({ capacityBytes: 30 * MIB })
  await create(storage)
  const { log } = await open({ storage, segmentBytes: 8 * MIB })
  let number = 1
  for (; number <= 24; number++) await log.append([draft(number, MIB, 65_536)])
  await log.close()
  const { batches } = await open({ storage, readOnly: true })
  t.equal(batches.length, 24)
  t.ok(contentIsRight(storage, batches))
})

await t.test('after any operation that failed, what was acknowledged is there and the rest is refused', async (t) => {
  const count = await operationsOf(undefined, t)
  for (let operation = 1; operation < count; operation++) await operationsOf(operation, t)
  t.ok(count > 30, `${count} operations`)
})

/** A short life whose storage fails at one operation; returns how many there are. */
async function operationsOf(failing: number | undefined, t: Test): Promise<number> {
  const storage = new FaultStorage()
  let acknowledged = 0
  try {
    await create(storage)
    const { log } = await open({ storage, segmentBytes: 20_000 })
    if (failing !== undefined) storage.failAt = { operation: failing, code: 'INPUT_OUTPUT', isLasting: true }
    for (let number = 1; number <= 6; number++) {
      await log.append([draft(number, 9000)])
      acknowledged++
    }
    await log.close()
  } catch (error) {
    if (errorCode(error) !== 'WRITE_FAILED' && errorCode(error) !== 'INPUT_OUTPUT') t.fail(String(error))
  }
  storage.failAt = undefined
  const { batches, log } = await open({ storage })
  const numbers = numbersOf(batches)
  if (numbers.length < acknowledged || numbers.some((number, i) => number !== i + 1)) {
    t.fail(`failing at ${String(failing)}: ${numbers.join()} of ${acknowledged} acknowledged`)
  }
  await log.close()
  for await (const finding of verifyLog({ storage, crypto, keys }))
    t.fail(`failing at ${String(failing)}: ${finding.message}`)
  return storage.operations.length
}

await t.test('once a write has failed nothing is accepted any more', async (t) => {
  for (const code of ['INPUT_OUTPUT', 'NO_SPACE'] as const) {
    const storage = new FaultStorage()
    const log = await opened(storage)
    await log.append([draft(1)])
    storage.failAt = { operation: storage.operations.length, code }
    await t.rejects(log.append([draft(2)]), { code: 'WRITE_FAILED' })
    await t.rejects(log.append([draft(3)]), { code: 'WRITE_FAILED' })
    t.equal(log.availableBytes(true), 0)
    t.equal(log.durableSequence, 1)
    await log.close()
    await t.rejects(log.append([draft(4)]), { code: 'CHAIN_CLOSED' })
    const { batches } = await open({ storage })
    t.equal(numbersOf(batches)[0], 1)
  }
})

await t.test('batches that cannot be are refused and change nothing', async (t) => {
  const log = await opened(new FaultStorage())
  const groups = Array.from({ length: 65_537 }, () => ({ kind: 1 as const, number: 1, parts: [] }))
  await t.rejects(log.append([{ groups }]), { code: 'BAD_ARGUMENT' })
  const part = new Uint8Array(MIB)
  const parts = Array.from({ length: 257 }, () => part)
  await t.rejects(log.append([{ groups: [{ kind: 2, number: 1, parts }] }]), { code: 'BAD_ARGUMENT' })
  await t.rejects(log.append([{ groups: [{ kind: 2, number: -1, parts: [] }] }]), { code: 'BAD_ARGUMENT' })
  t.same(await log.append([]), [])
  t.equal((await log.append([draft(1)]))[0]?.sequence, 1)
  t.equal((await log.append([{ groups: [] }]))[0]?.sequence, 2, 'a batch may be empty')
  await log.close()
  await log.close()
})

await t.test('appends asked for at once are done one after another', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  const appends = [1, 2, 3, 4, 5].map((number) => log.append([draft(number, 2000)]))
  const closed = log.close()
  const sequences = (await Promise.all(appends)).flat().map(({ sequence }) => sequence)
  await closed
  t.same(sequences, [1, 2, 3, 4, 5])
  t.same(numbersOf((await open({ storage, readOnly: true })).batches), [1, 2, 3, 4, 5])
})

await t.test('a large append is written in pieces under one sync', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  await log.append([draft(1)])
  const before = storage.operations.length
  await log.append([2, 3, 4, 5].map((number) => draft(number, 5 * MIB, 65_536)))
  t.same(
    storage.operations.slice(before).map(({ kind }) => kind),
    ['write', 'write', 'write', 'write', 'sync'],
  )
  await log.close()
  const { batches } = await open({ storage, readOnly: true })
  t.same(numbersOf(batches), [1, 2, 3, 4, 5])
  t.ok(contentIsRight(storage, batches))
})

await t.test(
  'space ahead of many small syncs that are waited for is zeroed, and not of large ones or of others',
  async (t) => {
    const zeroed = async (
      contentBytes: number,
      write: (log: Log, batch: BatchDraft) => Promise<unknown>,
    ): Promise<number> => {
      const storage = new FaultStorage()
      const log = await opened(storage)
      for (let number = 1; number <= 8; number++) {
        await write(log, draft(number, contentBytes, 65_536))
        await new Promise((resolve) => setTimeout(resolve))
      }
      await log.close()
      const zeros = storage.operations.filter((op) => op.kind === 'write' && op.bytes.every((byte) => byte === 0))
      return zeros.reduce((sum, op) => sum + (op.kind === 'write' ? op.bytes.length : 0), 0)
    }
    const durably = (log: Log, batch: BatchDraft) => log.append([batch])
    t.equal(await zeroed(1000, durably), MIB)
    t.ok((await zeroed(100_000, durably)) > 2 * MIB, 'more for larger ones')
    t.equal(await zeroed(300_000, durably), 0)
    t.equal(await zeroed(1000, (log, batch) => log.append([batch], false)), 0, 'nobody waits')
    const laterDurable = async (log: Log, batch: BatchDraft) => {
      await log.append([batch], false)
      await log.reachDurable()
    }
    t.equal(await zeroed(1000, laterDurable), MIB, 'as a server does')
  },
)

await t.test(
  'where no space is ahead that is not zeroed, and where there is none for zeros, nothing is synced behind',
  async (t) => {
    const storage = new FaultStorage()
    const zeros = { asked: 0, isFull: false }
    const openSegment = storage.openSegment.bind(storage)
    storage.openSegment = async (...segment) => {
      const file = await openSegment(...segment)
      const zero = file.zero.bind(file)
      file.zero = async (from, to) => {
        zeros.asked++
        if (zeros.isFull) throw new AteError('NO_SPACE', 'The disk is full.')
        await zero(from, to)
      }
      return file
    }
    await create(storage)
    const { log } = await open({ storage, segmentBytes: MIB })
    const appends = async (count: number): Promise<number> => {
      const { length } = storage.operations
      for (let i = 0; i < count; i++) {
        await log.append([draft((log.head?.sequence ?? 0) + 1, 60_000, 65_536)])
        await new Promise((resolve) => setTimeout(resolve))
      }
      return storage.operations.slice(length).filter((op) => op.kind === 'sync' && op.upTo !== undefined).length
    }
    t.equal(await appends(17), 1, 'up to the end of the segment')
    t.equal(zeros.asked, 1)
    zeros.isFull = true
    t.equal(await appends(10), 0)
    t.equal(zeros.asked, 3, 'once in each segment')
    await log.close()
  },
)

await t.test('the first segment of a session can be made of the spare', async (t) => {
  const storage = new FaultStorage({ capacityBytes: 4 * MIB + 500_000 })
  const log = await opened(storage)
  await log.append([draft(1, 100_000, 65_536)])
  t.ok(log.availableBytes(true) > 0)
  await log.close()
  t.equal((await open({ storage, readOnly: true })).batches.length, 1)
  const tiny = await opened(new FaultStorage({ capacityBytes: 1000 }))
  await t.rejects(tiny.append([draft(1)]), { code: 'NO_SPACE' })
  await t.rejects(tiny.append([draft(1)]), { code: 'NO_SPACE' }, 'and nothing is broken by it')
  await tiny.close()
})

await t.test('after a failure the anchor says no more than the medium holds', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const anchor = new MemoryAnchor()
  const { log } = await open({ storage, anchor })
  await log.append([draft(1)])
  await log.append([draft(2)], false)
  await log.append([draft(3)], false)
  t.equal(log.head?.sequence, 3)
  t.equal(log.durableSequence, 1)
  storage.failAt = { operation: storage.operations.length, code: 'INPUT_OUTPUT' }
  await t.rejects(log.append([draft(4)]), { code: 'WRITE_FAILED' })
  await log.close()
  const medium = FaultStorage.holding(mediumAfter(storage.operations, 'none'))
  const { batches } = await open({ storage: medium, anchor })
  t.same(numbersOf(batches), [1, 2])
})

await t.test('a sync that fails behind the back of later appends fails the next that must be durable', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  await log.append([draft(1)])
  await log.append([draft(2)], false)
  storage.failAt = { operation: storage.operations.length, code: 'NO_SPACE' }
  await storage.backgroundSyncs()
  t.equal(log.durableSequence, 1)
  await t.rejects(log.append([], true), { code: 'WRITE_FAILED' })
  await t.rejects(log.append([draft(3)], false), { code: 'WRITE_FAILED' })
  await log.close()
})

await t.test('a sync that succeeds behind the back of one that failed makes nothing durable', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  await log.append([draft(1)])
  await log.append([draft(2)], false)
  storage.failAt = { operation: storage.operations.length, code: 'INPUT_OUTPUT' }
  const failed = t.rejects(log.append([], true), { code: 'WRITE_FAILED' })
  await t.rejects(log.reachDurable(), { code: 'WRITE_FAILED' })
  await failed
  await storage.backgroundSyncs()
  t.equal(storage.operations.at(-1)?.kind, 'sync', 'the one behind succeeded')
  t.equal(log.durableSequence, 1)
  await log.close()
})

await t.test('a sync that fails behind the back of one that succeeds fails the commit that asked for it', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  await log.append([draft(1)])
  await log.append([draft(2)], false)
  // The system tells a failure once: here to the sync under way in the background, and the next one finds nothing wrong.
  storage.failAt = { operation: storage.operations.length + 1, code: 'INPUT_OUTPUT' }
  await t.rejects(log.append([], true), { code: 'WRITE_FAILED' })
  t.equal(storage.operations.at(-1)?.kind, 'sync', 'the sync that was waited for succeeded')
  t.equal(log.durableSequence, 1)
  await t.rejects(log.append([], true), { code: 'WRITE_FAILED' })
  await t.rejects(log.append([draft(3)], true), { code: 'WRITE_FAILED' })
  await log.close()
})

await t.test('closing makes durable what was not, or says that it could not', async (t) => {
  const storage = new FaultStorage()
  const log = await opened(storage)
  await log.append([draft(1), draft(2)], false)
  await log.close()
  t.equal((await open({ storage: FaultStorage.holding(mediumAfter(storage.operations, 'none')) })).batches.length, 2)
  const other = new FaultStorage()
  const failing = await opened(other)
  await failing.append([draft(1)], false)
  other.failAt = { operation: other.operations.length, code: 'INPUT_OUTPUT', isLasting: true }
  await t.rejects(failing.close(), { code: 'WRITE_FAILED' })
})
