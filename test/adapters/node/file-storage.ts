import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileStorage } from '../../../src/adapters/node/file-storage.js'
import { logStorage } from '../../contract/log-storage.js'
import { contentIsRight, create, draft, numbersOf, open } from '../../helpers/log-workbench.js'

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'atefs-storage-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

await t.test('files keep the contract', (t) =>
  logStorage(t, () => {
    const path = directory(t)
    return { storage: new FileStorage(path), again: () => new FileStorage(path) }
  }),
)

await t.test('a log in files is reopened, and its directory is as large as its data', async (t) => {
  const path = directory(t)
  await create(new FileStorage(path))
  const { log } = await open({ storage: new FileStorage(path) })
  for (let number = 1; number <= 5; number++) await log.append([draft(number, 50_000)])
  t.ok(statSync(join(path, '0000000001.seg')).blocks * 512 > 60_000_000, 'a segment is reserved as a whole')
  await log.close()
  t.same(readdirSync(path).sort(), ['0000000001.seg', 'manifest'])
  t.ok(statSync(join(path, '0000000001.seg')).blocks * 512 < 300_000)
  const storage = new FileStorage(path)
  const { batches } = await open({ storage, readOnly: true })
  t.same(numbersOf(batches), [1, 2, 3, 4, 5])
  t.ok(contentIsRight(storage, batches))
})

await t.test('files are for their owner only', async (t) => {
  const path = directory(t)
  const storage = new FileStorage(path)
  await storage.replaceSmall('manifest', Uint8Array.of(1))
  await (await storage.openSegment('0000000001.seg', 'create')).close()
  for (const name of readdirSync(path)) t.equal(statSync(join(path, name)).mode & 0o777, 0o600)
})

await t.test('links, directories, pipes and names with a path in them are refused', async (t) => {
  const path = directory(t)
  const storage = new FileStorage(path)
  writeFileSync(join(path, 'real'), 'x')
  symlinkSync('real', join(path, 'link.seg'))
  mkdirSync(join(path, 'directory.seg'))
  execFileSync('mkfifo', [join(path, 'pipe.seg')])
  for (const name of ['link.seg', 'directory.seg', 'pipe.seg']) {
    await t.rejects(storage.openSegment(name, 'read'), { code: 'INPUT_OUTPUT' }, name)
    await t.rejects(storage.readSmall(name, 10), { code: 'INPUT_OUTPUT' }, name)
    t.throws(() => storage.openReader(name), { code: 'INPUT_OUTPUT' }, name)
  }
  t.same(await storage.list(), ['real'])
  for (const name of ['../real', 'a/b', '', '.', '..', 'a\0b']) {
    await t.rejects(storage.readSmall(name, 10), { code: 'BAD_ARGUMENT' }, name)
  }
})

await t.test('a link in the place of a file to be replaced is replaced, not followed', async (t) => {
  const path = directory(t)
  const storage = new FileStorage(path)
  writeFileSync(join(path, 'outside'), 'x')
  symlinkSync('outside', join(path, 'manifest'))
  symlinkSync('outside', join(path, 'manifest.new'))
  await storage.replaceSmall('manifest', Uint8Array.of(7))
  t.same(await storage.readSmall('manifest', 10), Uint8Array.of(7))
  t.same(await storage.readSmall('outside', 10), Uint8Array.of(120))
})

await t.test('a directory that is not there is told from one that holds no chain', async (t) => {
  const path = directory(t)
  t.equal(await new FileStorage(path).readSmall('manifest', 10), undefined)
  const absent = new FileStorage(join(path, 'absent'))
  await t.rejects(absent.readSmall('manifest', 10), { code: 'CHAIN_NOT_FOUND' })
  await t.rejects(absent.list(), { code: 'CHAIN_NOT_FOUND' })
})

await t.test(
  'space goes back to the disk, but not from a file that is part of a copy made of hard links',
  async (t) => {
    const path = directory(t)
    const storage = new FileStorage(path)
    const file = await storage.openSegment('a.seg', 'create')
    await file.write(0, [new Uint8Array(4_000_000).fill(1)])
    await file.sync()
    const blocks = statSync(join(path, 'a.seg')).blocks
    linkSync(join(path, 'a.seg'), join(path, 'copy'))
    t.notOk(await file.punch(0, 3_000_000))
    t.same(await file.read(0, 2), Uint8Array.of(1, 1))
    rmSync(join(path, 'copy'))
    t.ok(await file.punch(0, 3_000_000))
    t.same(await file.read(0, 2), Uint8Array.of(0, 0))
    t.ok(blocks - statSync(join(path, 'a.seg')).blocks > 5000)
    await file.close()
  },
)

const skip = process.getuid?.() === 0 ? false : 'only root can mount a small disk'

await t.test('a full disk is NO_SPACE, and nothing is left of the attempt', { skip }, async (t) => {
  const path = directory(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path])
  const storage = new FileStorage(path)
  const file = await storage.openSegment('a.seg', 'create')
  try {
    await file.reserve(1_000_000)
    await t.rejects(file.reserve(2 ** 30), { code: 'NO_SPACE' })
    t.equal(await file.size(), 1_000_000)
    await file.reserve(4_000_000)
    await file.write(0, [new Uint8Array(4_000_000).fill(1)])
    await t.rejects(storage.replaceSmall('manifest', new Uint8Array(1_000_000)), { code: 'NO_SPACE' })
    t.same(await storage.list(), ['a.seg'])
  } finally {
    await file.close()
    execFileSync('umount', [path])
  }
})
