/** What every LogStorage promises. `make` gives an empty one, and `again` another view of the same files. */
import type { Test } from 'tap'
import type { LogStorage } from '../../src/engine/log/storage.js'

export interface StorageUnderTest {
  storage: LogStorage
  again: () => LogStorage
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

export async function logStorage(t: Test, make: () => StorageUnderTest): Promise<void> {
  await t.test('small files are replaced as a whole', async (t) => {
    const { storage, again } = make()
    t.equal(await storage.readSmall('manifest', 10), undefined)
    await storage.replaceSmall('manifest', bytes(1, 2, 3))
    await storage.replaceSmall('manifest', bytes(4))
    t.same(await again().readSmall('manifest', 10), bytes(4))
    await storage.replaceSmall('manifest', new Uint8Array(0))
    t.same(await storage.readSmall('manifest', 10), new Uint8Array(0))
    t.same(await storage.list(), ['manifest'])
  })

  await t.test('a small file above the limit is refused', async (t) => {
    const { storage } = make()
    await storage.replaceSmall('manifest', new Uint8Array(11))
    await t.rejects(storage.readSmall('manifest', 10), { code: 'BAD_FORMAT' })
    t.equal((await storage.readSmall('manifest', 11))?.length, 11)
  })

  await t.test('a segment is made once, and must be there to be opened', async (t) => {
    const { storage } = make()
    await t.rejects(storage.openSegment('a.seg', 'read'), { code: 'INPUT_OUTPUT' })
    await t.rejects(storage.openSegment('a.seg', 'append'), { code: 'INPUT_OUTPUT' })
    t.throws(() => storage.openReader('a.seg'), { code: 'INPUT_OUTPUT' })
    const file = await storage.openSegment('a.seg', 'create')
    t.equal(await file.size(), 0)
    await t.rejects(storage.openSegment('a.seg', 'create'), { code: 'CHAIN_EXISTS' })
    await file.close()
  })

  await t.test('parts are written one after another at a position, and read back in pieces', async (t) => {
    const { storage, again } = make()
    const file = await storage.openSegment('a.seg', 'create')
    await file.write(3, [bytes(1, 2), bytes(), bytes(3, 4, 5)])
    await file.sync()
    t.equal(await file.size(), 8)
    t.same(await file.read(0, 100), bytes(0, 0, 0, 1, 2, 3, 4, 5))
    t.same(await file.read(4, 2), bytes(2, 3))
    t.same(await file.read(8, 5), bytes())
    t.same(await file.read(1000, 5), bytes())
    const given = new Uint8Array(4).fill(9)
    const inGiven = await file.read(4, 2, given)
    t.same([inGiven, given], [bytes(2, 3), bytes(2, 3, 9, 9)], 'in the memory that is given')
    t.equal(inGiven.buffer, given.buffer)
    t.same(await file.read(3, 3, new Uint8Array(2)), bytes(1, 2, 3), 'unless that has no room')
    const reader = again().openReader('a.seg')
    const target = new Uint8Array(6).fill(9)
    t.equal(reader.readSync(6, target, 1, 4), 2)
    t.same(target, bytes(9, 4, 5, 9, 9, 9))
    t.equal(reader.readSync(50, target, 0, 4), 0)
    reader.close()
    await file.close()
  })

  await t.test('what is appended is seen by readers opened before', async (t) => {
    const { storage, again } = make()
    const file = await storage.openSegment('a.seg', 'create')
    const reader = again().openReader('a.seg')
    await file.write(0, [bytes(7)])
    const target = bytes(0)
    t.equal(reader.readSync(0, target, 0, 1), 1)
    t.same(target, bytes(7))
    reader.close()
    await file.close()
    const later = await storage.openSegment('a.seg', 'append')
    await later.write(1, [bytes(8)])
    t.same(await later.read(0, 9), bytes(7, 8))
    await later.close()
  })

  await t.test('reserved space counts, reads as zero, and is never shortened', async (t) => {
    const { storage } = make()
    const file = await storage.openSegment('a.seg', 'create')
    await file.write(0, [bytes(1, 2, 3)])
    await file.reserve(10_000)
    t.equal(await file.size(), 10_000)
    await file.reserve(5)
    t.equal(await file.size(), 10_000)
    t.same(await file.read(0, 6), bytes(1, 2, 3, 0, 0, 0))
    t.same(await file.read(9999, 6), bytes(0))
    await file.close()
  })

  await t.test('behind the end of the data everything reads as zero', async (t) => {
    const { storage, again } = make()
    const file = await storage.openSegment('a.seg', 'create')
    t.equal(await file.dataEnd(), 0)
    await file.write(0, [bytes(1, 2, 3)])
    t.equal(await file.dataEnd(), 3)
    await file.reserve(3_000_000)
    t.ok((await file.dataEnd()) >= 3)
    await file.write(2_000_000, [bytes(4)])
    await file.sync()
    await file.close()
    const later = await again().openSegment('a.seg', 'read')
    const end = await later.dataEnd()
    t.ok(2_000_000 < end && end <= 3_000_000, `it is at ${end}`)
    t.same(await later.read(0, 4), bytes(1, 2, 3, 0), 'reads go on as before')
    await later.close()
  })

  await t.test('zeroing and truncating leave zeros behind them', async (t) => {
    const { storage } = make()
    const file = await storage.openSegment('a.seg', 'create')
    await file.write(0, [new Uint8Array(3_000_000).fill(1)])
    await file.zero(2, 2_500_000)
    t.same(await file.read(0, 4), bytes(1, 1, 0, 0))
    t.same(await file.read(2_499_999, 2), bytes(0, 1))
    await file.truncate(1)
    t.equal(await file.size(), 1)
    await file.write(3, [bytes(5)])
    t.same(await file.read(0, 9), bytes(1, 0, 0, 5))
    await file.close()
  })

  await t.test('space given back reads as zero or as before, and nothing beside it changes', async (t) => {
    const { storage, again } = make()
    const file = await storage.openSegment('a.seg', 'create')
    await file.write(0, [new Uint8Array(100_000).fill(1)])
    await file.sync()
    const end = await file.size()
    const isAble = await file.punch(end, end + 100_000)
    t.equal(await file.size(), end, 'behind the end nothing changes')
    t.equal(await file.punch(10_001, 50_003), isAble)
    t.equal(await file.punch(60_000, 60_001), isAble)
    t.equal(await file.size(), end)
    const bytes = await file.read(0, end)
    const isGiven = (at: number): boolean => (at >= 10_001 && at < 50_003) || at === 60_000
    t.ok(bytes.every((byte, at) => byte === 1 || (byte === 0 && isGiven(at))))
    if (isAble) t.ok(bytes.filter((byte) => byte === 0).length >= 32_768, 'whole blocks are gone')
    await file.close()
    const later = await again().openSegment('a.seg', 'append')
    t.equal(await later.punch(0, 90_000), isAble)
    t.same(await later.read(99_999, 5), Uint8Array.of(1))
    await later.close()
  })

  await t.test('files are listed and removed by name', async (t) => {
    const { storage } = make()
    for (const name of ['0000000001.seg', 'spare']) await (await storage.openSegment(name, 'create')).close()
    await storage.replaceSmall('keyring', bytes(1))
    t.same((await storage.list()).sort(), ['0000000001.seg', 'keyring', 'spare'])
    await storage.remove('spare')
    await storage.remove('spare')
    t.same((await storage.list()).sort(), ['0000000001.seg', 'keyring'])
  })
}
