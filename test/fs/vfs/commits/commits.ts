/** What happens around commits: failures, full disks, writers that are faster than the medium. */
import t from 'tap'
import { KIND_EXTENT } from '../../../../src/fs/vfs/records/record-kinds.js'
import { AteError } from '../../../../src/engine/error.js'
import { ROOT_INO } from '../../../../src/fs/vfs/types.js'
import {
  exists,
  KEEP_PRIVILEGES,
  makeDirectory,
  makeFile,
  nameOf,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  USER,
} from '../../../helpers/open-memory-fs.js'

const MEGABYTE = 1024 * 1024

t.test('a commit failing ends writing, with one warning', async (t) => {
  const { fs, view, timer, warnings } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  view.failsCommits = true
  timer.fire()
  timer.fire()
  timer.fire()
  await Promise.resolve()
  await Promise.resolve()
  t.equal(warnings.length, 1)
  t.match(warnings[0], /read-only/)
  t.throws(() => fs.write(file, 0, Uint8Array.of(1), KEEP_PRIVILEGES), { code: 'READ_ONLY' })
  await t.rejects(fs.sync(), { code: 'WRITE_FAILED' })
  t.equal((await readAll(fs, file)).toString(), 'hello', 'reading goes on')
  await t.rejects(fs.close(), { code: 'WRITE_FAILED' })
  t.equal(warnings.length, 1)
})

t.test('fsync of a commit that fails reports it', async (t) => {
  const { fs, view } = await openMemoryFs()
  view.holdsCommits = true
  await makeFile(fs, ROOT_INO, 'f', 'hello')
  const synced = fs.sync()
  view.failHeldCommits()
  await t.rejects(synced, { code: 'WRITE_FAILED' })
})

t.test('a full disk fails the writer and nothing else', async (t) => {
  const { fs, view } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  view.onReserve = (_bytes, essential) =>
    essential ? undefined : Promise.reject(new AteError('NO_SPACE', 'the disk is full'))
  await t.rejects(async () => fs.write(file, 0, Buffer.from('XXXXX'), KEEP_PRIVILEGES), { code: 'NO_SPACE' })
  await t.rejects(async () => fs.makeDirectory(ROOT_INO, nameOf('d'), 0o755, 0, USER), { code: 'NO_SPACE' })
  t.equal((await readAll(fs, file)).toString(), 'hello')
  await fs.unlink(ROOT_INO, nameOf('f'), USER)
  t.equal(exists(fs, ROOT_INO, 'f'), undefined, 'removing works')
  view.onReserve = () => undefined
  await makeDirectory(fs, ROOT_INO, 'd')
})

t.test('what has to wait for space happens when there is some', async (t) => {
  const { fs, view } = await openMemoryFs()
  let release = (): void => undefined
  let isFull = true
  view.onReserve = () => (isFull ? new Promise((resolve) => (release = resolve)) : undefined)
  const caller = { ...USER }
  const making = fs.makeNode(ROOT_INO, nameOf('f'), { mode: 0o100600, rdev: 0, umask: 0 }, caller)
  t.type(making, Promise)
  caller.uid = 0
  t.equal(exists(fs, ROOT_INO, 'f'), undefined)
  isFull = false
  release()
  t.equal((await making).uid, USER.uid, 'the caller was copied: the driver uses the object again')
})

t.test('writers wait while 64 MiB are on their way', async (t) => {
  const mounted = await openMemoryFs()
  const { fs, view } = mounted
  view.holdsCommits = true
  const file = await makeFile(fs, ROOT_INO, 'f')
  let written = 0
  let waiting: Promise<number> | undefined
  for (; waiting === undefined && written < 200; written++) {
    const answer = fs.write(file, written * MEGABYTE, new Uint8Array(MEGABYTE).fill(written), KEEP_PRIVILEGES)
    if (answer instanceof Promise) waiting = answer
  }
  t.ok(written > 60 && written < 80, `waits after ${written} MiB`)
  view.holdsCommits = false
  view.releaseCommits(1)
  t.equal(await waiting, MEGABYTE)
  view.releaseCommits()
  await fs.sync()
  const after = await remountAfterCrash(mounted)
  const content = await readAll(after.fs, file)
  t.equal(content.length, written * MEGABYTE)
  for (let i = 0; i < written; i++) {
    const wanted = Buffer.alloc(MEGABYTE, i)
    if (Buffer.compare(content.subarray(i * MEGABYTE, (i + 1) * MEGABYTE), wanted) !== 0) t.fail(`MiB ${i} differs`)
  }
})

t.test('syncing a clean file system waits for what is under way', async (t) => {
  const { fs, view } = await openMemoryFs()
  await makeFile(fs, ROOT_INO, 'f', 'hello')
  await fs.sync()
  const before = view.commits
  await fs.sync()
  t.equal(view.commits, before + 1, 'the view is asked')
})

t.test('a file with a damaged extent record does not keep the others from being committed', async (t) => {
  const mounted = await openMemoryFs()
  const { fs, view, warnings } = mounted
  const bad = await makeFile(fs, ROOT_INO, 'bad')
  await fs.write(bad, 100_000, Buffer.from('far'), KEEP_PRIVILEGES)
  const good = await makeFile(fs, ROOT_INO, 'good')
  await fs.sync()
  const extent = [...view.all()].find(({ kind }) => kind === KIND_EXTENT)
  if (extent === undefined) return t.fail('there is an extent')
  view.put(KIND_EXTENT, extent.high, extent.low, Uint8Array.of(9, 9))
  await fs.write(bad, 100_001, Buffer.from('x'), KEEP_PRIVILEGES)
  await fs.write(good, 0, Buffer.from('fine'), KEEP_PRIVILEGES)
  await t.rejects(fs.sync(), { code: 'INPUT_OUTPUT' })
  t.same(warnings, [
    `Content of inode ${bad} cannot be read: it is damaged. Run fsck.`,
    `What was last written to inode ${bad} is lost: its records are damaged. Run fsck.`,
  ])
  await fs.sync()
  const after = await remountAfterCrash(mounted)
  t.equal((await readAll(after.fs, good)).toString(), 'fine')
  t.throws(() => after.fs.read(bad, 100_000, 3, new Uint8Array(3), 0), { code: 'BAD_FORMAT' })
})
