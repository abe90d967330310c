/** File content against a plain array: writes, cuts, growth, commits, crashes and slow bodies in random order. */
import * as fc from 'fast-check'
import t from 'tap'
import { checkFileSystem } from '../../../../src/fs/vfs/check/check.js'
import { CHUNK_BYTES } from '../../../../src/fs/vfs/records/extent-record.js'
import { KIND_EXTENT } from '../../../../src/fs/vfs/records/record-kinds.js'
import {
  FALLOC_KEEP_SIZE,
  FALLOC_PUNCH_HOLE,
  FALLOC_ZERO_RANGE,
  ROOT_INO,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../../../src/fs/vfs/types.js'
import {
  KEEP_PRIVILEGES,
  makeFile,
  NAME_KEY,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  USER,
} from '../../../helpers/open-memory-fs.js'

const position = fc.oneof(
  fc.integer({ min: 0, max: 3 * CHUNK_BYTES }),
  fc.integer({ min: CHUNK_BYTES - 30, max: CHUNK_BYTES + 30 }),
  fc.integer({ min: 4090, max: 4100 }),
  fc.integer({ min: 0, max: 40 }),
)
const length = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(4096, CHUNK_BYTES, 2 * CHUNK_BYTES + 1))
const kind = fc.constantFrom(
  'write',
  'write',
  'write',
  'append',
  'truncate',
  'punch',
  'zero',
  'allocate',
  'sync',
  'remount',
)
const step = fc.record({ kind, position, length, fill: fc.integer({ min: 1, max: 255 }) })

t.test('the chain is told how large a file is, so that small ones lie in small bodies', async (t) => {
  const { fs, view } = await openMemoryFs()
  const told: unknown[] = []
  const addBody = view.addBody.bind(view)
  view.addBody = (...args: [Uint8Array, number?]) => (told.push(args[1]), addBody(args[0]))
  for (const bytes of [256, 2 * CHUNK_BYTES]) {
    const file = await makeFile(fs, ROOT_INO, `${bytes}`)
    await fs.write(file, 0, new Uint8Array(bytes), KEEP_PRIVILEGES)
  }
  await fs.sync()
  t.strictSame(told, [256, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES])
})

t.test('reads what was written, whatever happened since', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isSlow) => {
      let mounted = await openMemoryFs()
      mounted.view.hasSlowBodies = isSlow
      const file = await makeFile(mounted.fs, ROOT_INO, 'f')
      let model: Buffer = Buffer.alloc(0)
      const grown = (size: number): Buffer => Buffer.concat([model, Buffer.alloc(Math.max(0, size - model.length))])
      for (const { kind, position, length, fill } of steps) {
        const { fs } = mounted
        const end = position + length
        if (kind === 'write' || kind === 'append') {
          const at = kind === 'append' ? model.length : position
          await fs.write(file, at, new Uint8Array(length).fill(fill), KEEP_PRIVILEGES)
          model = grown(at + length).fill(fill, at, at + length)
        } else if (kind === 'truncate') {
          await fs.setAttributes(file, { size: position }, USER)
          model = grown(position).subarray(0, position)
        } else if (kind === 'punch') {
          await fs.allocate(file, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, position, length)
          model = Buffer.from(model).fill(0, Math.min(position, model.length), Math.min(end, model.length))
        } else if (kind === 'zero' || kind === 'allocate') {
          await fs.allocate(file, kind === 'zero' ? FALLOC_ZERO_RANGE : 0, position, length)
          model = kind === 'zero' ? grown(end).fill(0, position, end) : grown(end)
        } else {
          await fs.sync()
          if (kind === 'remount') mounted = await remountAfterCrash(mounted)
          mounted.view.hasSlowBodies = isSlow
        }
        if (!(await readAll(mounted.fs, file)).equals(model)) return false
        if (mounted.fs.getAttributes(file).blocks > Math.ceil(model.length / 512)) return false
      }
      await mounted.fs.sync()
      const findings = []
      for await (const finding of checkFileSystem({ view: mounted.view, nameKey: NAME_KEY })) findings.push(finding)
      t.same(findings, [])
      return mounted.warnings.length === 0
    }),
    { seed: 6, numRuns: 250 },
  )
})

t.test('small synced appends make one extent a page', async (t) => {
  const { fs, view } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'log')
  for (let i = 0; i < 500; i++) {
    await fs.write(file, i * 100, new Uint8Array(100).fill(i), KEEP_PRIVILEGES)
    await fs.sync()
  }
  const extents = [...view.all()].filter(({ kind }) => kind === KIND_EXTENT)
  t.ok(extents.length <= 13, `${extents.length} extents for 50,000 bytes`)
  const content = await readAll(fs, file)
  t.ok(content.every((byte, i) => byte === Math.floor(i / 100) % 256))
})

t.test('seeking tells data from holes, committed or not', async (t) => {
  const { fs } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'sparse')
  const far = 5 * 1024 ** 3
  await fs.write(file, 10 * CHUNK_BYTES, new Uint8Array(100), KEEP_PRIVILEGES)
  await fs.sync()
  await fs.write(file, far, new Uint8Array(5000), KEEP_PRIVILEGES)
  await fs.setAttributes(file, { size: far + 10_000 }, USER)
  for (const state of ['dirty', 'committed']) {
    t.equal(fs.seek(file, 0, SEEK_DATA), 10 * CHUNK_BYTES, state)
    t.equal(fs.seek(file, 10 * CHUNK_BYTES + 50, SEEK_DATA), 10 * CHUNK_BYTES + 50)
    t.equal(fs.seek(file, 10 * CHUNK_BYTES, SEEK_HOLE), 10 * CHUNK_BYTES + 100)
    t.equal(fs.seek(file, 10 * CHUNK_BYTES + 100, SEEK_DATA), far)
    t.equal(fs.seek(file, far, SEEK_HOLE), far + 5000)
    t.equal(fs.seek(file, 7, SEEK_HOLE), 7)
    t.throws(() => fs.seek(file, far + 5000, SEEK_DATA), { code: 'NO_DATA_BEYOND' })
    t.throws(() => fs.seek(file, far + 10_000, SEEK_HOLE), { code: 'NO_DATA_BEYOND' })
    t.equal(fs.getAttributes(file).blocks, Math.ceil(5100 / 512))
    await fs.sync()
  }
})

t.test('a large dense file is cut with one deletion and stays right', async (t) => {
  const { fs, view } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'large')
  const size = 64 * CHUNK_BYTES
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    await fs.write(file, at, new Uint8Array(CHUNK_BYTES).fill(1 + at / CHUNK_BYTES), KEEP_PRIVILEGES)
  }
  await fs.sync()
  const [from, to] = [3 * CHUNK_BYTES + 5, 60 * CHUNK_BYTES - 7]
  await fs.allocate(file, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, from, to - from)
  const content = await readAll(fs, file)
  t.ok(content.subarray(from, to).every((byte) => byte === 0))
  t.equal(content[from - 1], 4)
  t.equal(content[to], 60)
  t.equal(fs.getAttributes(file).blocks, Math.ceil((size - (to - from)) / 512))
  await fs.setAttributes(file, { size: 0 }, USER)
  t.equal([...view.all()].filter(({ kind }) => kind === KIND_EXTENT).length, 0)
  t.equal(fs.getAttributes(file).blocks, 0)
})

t.test('a read under way is not disturbed by later writes', async (t) => {
  const { fs, view } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f', 'committed')
  await fs.sync()
  await fs.write(file, 0, Buffer.from('DIRTY'), KEEP_PRIVILEGES)
  view.hasSlowBodies = true
  const target = Buffer.alloc(9)
  const reading = fs.read(file, 0, 9, target, 0)
  await fs.write(file, 0, Buffer.from('later'), KEEP_PRIVILEGES)
  t.equal(await reading, 9)
  t.equal(target.toString(), 'DIRTYtted')
})

t.test('offsets up to 2^53 - 1 are served, beyond is too large', async (t) => {
  const { fs } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f')
  const last = Number.MAX_SAFE_INTEGER - 1
  await fs.write(file, last, Uint8Array.of(7), KEEP_PRIVILEGES)
  await fs.sync()
  t.equal(fs.getAttributes(file).size, Number.MAX_SAFE_INTEGER)
  const target = new Uint8Array(10)
  t.equal(await fs.read(file, last, 10, target, 0), 1)
  t.equal(target[0], 7)
  t.throws(() => fs.write(file, last, Uint8Array.of(7, 7), KEEP_PRIVILEGES), { code: 'FILE_TOO_LARGE' })
  t.throws(() => fs.setAttributes(file, { size: 2 ** 53 }, USER), { code: 'FILE_TOO_LARGE' })
  t.throws(() => fs.allocate(file, 0, 2 ** 53 - 10, 20), { code: 'FILE_TOO_LARGE' })
})

t.test('copies ranges, also from what is not committed', async (t) => {
  const { fs } = await openMemoryFs()
  const source = await makeFile(fs, ROOT_INO, 'a', 'hello world')
  const target = await makeFile(fs, ROOT_INO, 'b', '..........')
  t.equal(await fs.copyRange(source, 6, target, 2, 100), 5)
  t.equal((await readAll(fs, target)).toString(), '..world...')
  t.equal(await fs.copyRange(source, 11, target, 0, 100), 0)
})
