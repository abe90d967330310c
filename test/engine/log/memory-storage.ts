import t from 'tap'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { logStorage } from '../../contract/log-storage.js'
import { FaultStorage } from '../../helpers/fault-storage.js'

await t.test('memory', (t) =>
  logStorage(t, () => {
    const storage = new MemoryStorage()
    return { storage, again: () => storage }
  }),
)

await t.test('the simulated medium of the crash tests', (t) =>
  logStorage(t, () => {
    const storage = new FaultStorage()
    return { storage, again: () => storage }
  }),
)

await t.test(
  'a large file reads back whole, across what it is kept in, and as zeros where it was cut or given back',
  async (t) => {
    const file = await new MemoryStorage().openSegment('large', 'create')
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i * 7 + (i >> 8))
    await file.write(1000, [bytes.subarray(0, 70_000), bytes.subarray(70_000)])
    t.strictSame(await file.read(1000, bytes.length), bytes)
    t.strictSame(await file.read(66_000, 70_000), bytes.subarray(65_000, 135_000))
    await file.punch(60_000, 140_000)
    t.ok((await file.read(60_000, 80_000)).every((byte) => byte === 0))
    t.strictSame(await file.read(140_000, 1000), bytes.subarray(139_000, 140_000))
    await file.truncate(150_000)
    await file.reserve(180_000)
    t.strictSame(await file.read(149_000, 1000), bytes.subarray(148_000, 149_000))
    t.ok((await file.read(150_000, 30_000)).every((byte) => byte === 0))
    t.equal(await file.size(), 180_000)
  },
)
