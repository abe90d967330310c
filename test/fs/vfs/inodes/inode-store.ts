/** Inodes that do not fit in memory, access times that are not worth a record, numbers that are never given twice. */
import t from 'tap'
import { KIND_INODE, KIND_ORPHAN } from '../../../../src/fs/vfs/records/record-kinds.js'
import { ROOT_INO } from '../../../../src/fs/vfs/types.js'
import {
  exists,
  KEEP_PRIVILEGES,
  listDirectory,
  makeDirectory,
  makeFile,
  nameOf,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  USER,
} from '../../../helpers/open-memory-fs.js'

t.test('changes survive leaving memory', async (t) => {
  const mounted = await openMemoryFs({ cachedInodes: 10 })
  const { fs } = mounted
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  const files: number[] = []
  for (let i = 0; i < 200; i++) files.push(await makeFile(fs, directory, `f${i}`, `content ${i}`))
  for (const [i, file] of files.entries()) await fs.setAttributes(file, { mode: 0o600 + (i % 8) }, USER)
  for (const round of ['dirty', 'committed']) {
    for (const [i, file] of files.entries()) {
      t.equal(fs.getAttributes(file).mode, 0o100600 + (i % 8), round)
      t.equal((await readAll(fs, file)).toString(), `content ${i}`)
    }
    await fs.sync()
  }
  const after = await remountAfterCrash(mounted, { cachedInodes: 10 })
  t.equal(listDirectory(after.fs, directory).length, 200)
})

t.test('an inode in memory is one object, however often it was pushed out', async (t) => {
  const { fs } = await openMemoryFs({ cachedInodes: 4 })
  const files: number[] = []
  for (let i = 0; i < 20; i++) files.push(await makeFile(fs, ROOT_INO, `f${i}`))
  await fs.sync()
  for (const file of files) await fs.write(file, 0, Buffer.from('a'), KEEP_PRIVILEGES)
  for (const file of [...files].reverse()) await fs.write(file, 1, Buffer.from('b'), KEEP_PRIVILEGES)
  for (const file of files) t.equal((await readAll(fs, file)).toString(), 'ab')
})

t.test('an operation that needs more inodes than there is room for loses no change', async (t) => {
  for (let cachedInodes = 2; cachedInodes <= 8; cachedInodes++) {
    const mounted = await openMemoryFs({ cachedInodes })
    const { fs } = mounted
    const from = await makeDirectory(fs, ROOT_INO, 'from')
    await makeDirectory(fs, from, 'moved')
    let to = ROOT_INO
    for (const name of ['a', 'b', 'c', 'd', 'e']) to = await makeDirectory(fs, to, name)
    await fs.sync()
    for (let i = 0; i < 10; i++) await makeFile(fs, ROOT_INO, `other ${i}`)
    await fs.sync()
    await fs.rename(from, nameOf('moved'), to, nameOf('moved'), 0, USER)
    const links = (of: typeof fs): number[] => [from, to].map((ino) => of.getAttributes(ino).nlink)
    t.same(links(fs), [2, 3], `room for ${cachedInodes}`)
    await fs.close()
    t.same(links((await remountAfterCrash(mounted)).fs), [2, 3], 'and after that')
  }
})

t.test('access times wait for another change, for eviction or for the end', async (t) => {
  const mounted = await openMemoryFs()
  const { fs, view, clock, timer } = mounted
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  await fs.sync()
  clock.advance(5)
  await readAll(fs, file)
  const { atimeSec } = fs.getAttributes(file)
  t.equal(atimeSec, clock.sec, 'newer than the modification: set (relatime)')
  clock.advance(5)
  await readAll(fs, file)
  t.equal(fs.getAttributes(file).atimeSec, atimeSec, 'then left for a day')
  t.notOk(timer.isRunning && view.pendingBytes > 0, 'nothing is pending')
  const crashed = await remountAfterCrash(mounted)
  t.not(crashed.fs.getAttributes(file).atimeSec, atimeSec)
  await fs.close()
  const closed = await remountAfterCrash(mounted)
  t.equal(closed.fs.getAttributes(file).atimeSec, atimeSec)
})

t.test('an access time is kept when its inode leaves memory', async (t) => {
  const { fs, clock } = await openMemoryFs({ cachedInodes: 4 })
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  for (let i = 0; i < 20; i++) await makeFile(fs, ROOT_INO, `other${i}`)
  await fs.sync()
  clock.advance(100)
  await readAll(fs, file)
  const { atimeSec } = fs.getAttributes(file)
  for (let i = 0; i < 20; i++) exists(fs, ROOT_INO, `other${i}`)
  t.equal(fs.getAttributes(file).atimeSec, atimeSec)
})

t.test('noatime never changes it, strictatime always', async (t) => {
  for (const accessTime of ['noatime', 'strictatime'] as const) {
    const { fs, clock } = await openMemoryFs({ accessTime })
    const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
    const seen: number[] = []
    for (let i = 0; i < 3; i++) {
      clock.advance(10)
      await readAll(fs, file)
      seen.push(fs.getAttributes(file).atimeSec)
    }
    t.equal(new Set(seen).size, accessTime === 'noatime' ? 1 : 3, accessTime)
  }
})

t.test('an inode number is not given again after a crash', async (t) => {
  const mounted = await openMemoryFs()
  await mounted.fs.sync()
  const lost = await makeFile(mounted.fs, ROOT_INO, 'lost')
  let after = await remountAfterCrash(mounted)
  const first = await makeFile(after.fs, ROOT_INO, 'first')
  await after.fs.sync()
  t.equal(first, lost, 'nothing at all had been committed: nobody can remember the number')
  const lostLater = await makeFile(after.fs, ROOT_INO, 'lost later')
  after = await remountAfterCrash(after)
  t.ok((await makeFile(after.fs, ROOT_INO, 'second')) > lostLater)
})

t.test('an orderly end gives back numbers that were reserved', async (t) => {
  const mounted = await openMemoryFs()
  const first = await makeFile(mounted.fs, ROOT_INO, 'first')
  await mounted.fs.close()
  const after = await remountAfterCrash(mounted)
  t.equal(await makeFile(after.fs, ROOT_INO, 'second'), first + 1)
})

t.test('a file in use outlives its name; a crash removes it', async (t) => {
  const mounted = await openMemoryFs()
  const { fs, view } = mounted
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  fs.retain(file)
  await fs.sync()
  await fs.unlink(ROOT_INO, nameOf('f'), USER)
  await fs.sync()
  t.equal(fs.getAttributes(file).nlink, 0)
  t.equal((await readAll(fs, file)).toString(), 'hello')
  await fs.write(file, 5, Buffer.from('!'), KEEP_PRIVILEGES)
  await fs.sync()
  const after = await remountAfterCrash(mounted)
  t.throws(() => after.fs.getAttributes(file), { code: 'STALE' })
  await after.fs.sync()
  t.equal([...after.view.all()].filter(({ kind }) => kind === KIND_ORPHAN).length, 0)
  t.equal([...after.view.all()].filter(({ kind }) => kind === KIND_INODE).length, 1, 'only the root is left')
  fs.release(file, 1)
  await fs.sync()
  t.throws(() => fs.getAttributes(file), { code: 'STALE' })
  t.equal([...view.all()].filter(({ kind }) => kind === KIND_ORPHAN).length, 0)
})

t.test('a temporary file is linked, or gone with its last user', async (t) => {
  const mounted = await openMemoryFs()
  const { fs, view } = mounted
  const records = [...view.all()].length
  const lost = (await fs.makeTemporary(ROOT_INO, 0o600, 0, USER)).ino
  fs.retain(lost)
  const kept = (await fs.makeTemporary(ROOT_INO, 0o600, 0, USER)).ino
  fs.retain(kept)
  await fs.write(kept, 0, Buffer.from('kept'), KEEP_PRIVILEGES)
  await fs.sync()
  await fs.link(kept, ROOT_INO, nameOf('kept'), USER)
  await fs.sync()
  fs.release(lost, 1)
  await fs.sync()
  t.equal([...view.all()].length, records + 2, 'an entry and an inode')
  const after = await remountAfterCrash(mounted)
  t.equal((await readAll(after.fs, exists(after.fs, ROOT_INO, 'kept')?.ino ?? 0)).toString(), 'kept')
})

t.test('what comes and goes between two commits leaves no record', async (t) => {
  const { fs, view } = await openMemoryFs()
  await makeFile(fs, ROOT_INO, 'other')
  await fs.sync()
  let changes = 0
  for (const method of ['put', 'delete', 'deleteRange'] as const) {
    const original = view[method].bind(view) as (...args: unknown[]) => void
    view[method] = (...args: unknown[]) => {
      if (args[0] === KIND_INODE || args[0] === KIND_ORPHAN) changes++
      original(...args)
    }
  }
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  fs.retain(file)
  await fs.unlink(ROOT_INO, nameOf('f'), USER)
  fs.release(file, 1)
  t.equal(changes, 0)
  await fs.sync()
  t.equal(changes, 1, 'the directory')
})

t.test('one damaged inode fails alone', async (t) => {
  const mounted = await openMemoryFs()
  const bad = await makeFile(mounted.fs, ROOT_INO, 'bad')
  const good = await makeFile(mounted.fs, ROOT_INO, 'good', 'fine')
  await mounted.fs.sync()
  const { fs, view, warnings } = await remountAfterCrash(mounted)
  view.put(KIND_INODE, 0, bad, Uint8Array.of(1, 2, 3))
  t.throws(() => fs.lookup(ROOT_INO, nameOf('bad')), { code: 'INPUT_OUTPUT' })
  t.equal((await readAll(fs, good)).toString(), 'fine')
  t.equal(listDirectory(fs, ROOT_INO).length, 2)
  t.equal(warnings.length, 1)
  t.notMatch(warnings[0], /bad/, 'names are not for logs')
  view.delete(KIND_INODE, 0, bad)
  t.throws(() => fs.lookup(ROOT_INO, nameOf('bad')), { code: 'INPUT_OUTPUT' }, 'a missing one, too')
})
