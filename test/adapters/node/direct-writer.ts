import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, realpathSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DirectWriter } from '../../../src/adapters/node/direct-writer.js'
import { FileStorage } from '../../../src/adapters/node/file-storage.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const NAME = '0000000001.seg'
const SPACE = 16 * 1024 * 1024
/** Below them: what is written through the cache, at once, and in turns. */
const LENGTHS = [3_000_000, 9_000, 200_000]

function directory(t: Test, parent: string): string {
  const path = mkdtempSync(join(parent, 'atefs-direct-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** How many descriptors of this process are open for the file. */
function descriptorsOf(path: string): number {
  const real = realpathSync(path)
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === real
    } catch {
      // The one that the listing itself had.
      return false
    }
  }).length
}

/** Appends of all sizes, as a log makes them, each read back by another descriptor, whose cache has seen the place before. */
async function appendsReadBack(t: Test, parent: string): Promise<void> {
  const storage = new FileStorage(directory(t, parent))
  const segment = await storage.openSegment(NAME, 'create')
  await segment.reserve(SPACE)
  const reader = storage.openReader(NAME)
  const random = seededRandom(7)
  const expected = new Uint8Array(SPACE)
  const found = new Uint8Array(SPACE)
  let tail = 0
  for (let turn = 0; tail < SPACE - 3_000_000; turn++) {
    const length = Math.floor(random() * (LENGTHS[turn % LENGTHS.length] ?? 0))
    const bytes = expected.subarray(tail, tail + length)
    for (let i = 0; i < length; i += 97) bytes[i] = 1 + ((i + turn) % 255)
    await segment.write(tail, [bytes])
    if (turn % 2 === 0) await segment.sync()
    tail += length
    reader.readSync(0, found, 0, SPACE)
    if (Buffer.from(found).equals(Buffer.from(expected))) continue
    t.fail(`wrong after write ${turn} of ${length} bytes`)
    break
  }
  reader.close()
  await segment.truncate(tail)
  t.equal(await segment.size(), tail)
  await segment.close()
}

await t.test('what is written past the cache and through it, side by side, reads as it was written', (t) =>
  appendsReadBack(t, tmpdir()),
)

await t.test('so it does in memory, where nothing can be written past the cache or all is', (t) =>
  appendsReadBack(t, '/dev/shm'),
)

await t.test('space ahead is zeroed from byte to byte, and nothing beside it', async (t) => {
  const storage = new FileStorage(directory(t, tmpdir()))
  const segment = await storage.openSegment(NAME, 'create')
  const length = 4_000_000
  const written = new Uint8Array(length).fill(0xaa)
  for (const [from, to] of [
    [5_000, 2_500_001],
    [8192, 8192 + 1024 * 1024],
    [4097, 4099],
    [2_000_000, length],
  ] as const) {
    await segment.write(0, [written])
    await segment.zero(from, to)
    const found = await segment.read(0, length)
    t.ok(Buffer.from(found).equals(Buffer.from(written.slice()).fill(0, from, to)), `from ${from} to ${to}`)
    t.equal(await segment.size(), length)
  }
  await segment.close()
})

await t.test('of many writes at once some are refused, and nothing else is', async (t) => {
  const fd = openSync(join(directory(t, tmpdir()), 'file'), 'w')
  const writer = DirectWriter.open(fd)
  const block = new Uint8Array(4096).fill(1)
  if (writer === null || !(await writer.write(0, block))) return t.pass('none on this file system')
  const written = await Promise.all(Array.from({ length: 20 }, (_, i) => writer.write(i * 4096, block)))
  t.equal(written.filter(Boolean).length, 8)
  t.ok(await writer.write(0, block), 'and later it is as before')
  writer.close()
  closeSync(fd)
})

await t.test('a file system that refuses says so, and writes nothing', async (t) => {
  const path = join(directory(t, tmpdir()), 'file')
  const fd = openSync(path, 'w')
  const writer = DirectWriter.open(fd)
  if (writer === null) return t.pass(`none on this file system (type ${statfsSync(path).type})`)
  t.equal(await writer.write(100, new Uint8Array(4096)), false, 'a position that is no block')
  t.equal(await writer.write(0, new Uint8Array(4096)), false, 'is not asked again')
  t.equal(descriptorsOf(path), 1, 'and its descriptor is closed')
  // Its number may be another file's by now.
  const other = openSync(path, 'r')
  writer.close()
  t.equal(descriptorsOf(path), 2, 'closing it once more closes nothing else')
  for (const open of [other, fd]) closeSync(open)
})
