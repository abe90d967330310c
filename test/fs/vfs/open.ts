import t from 'tap'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import { KIND_INODE, KIND_STATE } from '../../../src/fs/vfs/records/record-kinds.js'
import { FALLOC_KEEP_SIZE, ROOT_INO } from '../../../src/fs/vfs/types.js'
import { MemoryRecordView } from '../../helpers/memory-record-view.js'
import {
  KEEP_PRIVILEGES,
  listDirectory,
  makeFile,
  NAME_KEY,
  nameOf,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  USER,
} from '../../helpers/open-memory-fs.js'

t.test('a read-only file system refuses every change and serves the rest', async (t) => {
  const mounted = await openMemoryFs()
  const file = await makeFile(mounted.fs, ROOT_INO, 'f', 'hello')
  await mounted.fs.close()
  const { fs, view, clock } = await remountAfterCrash(mounted, { readOnly: true })
  const name = nameOf('x')
  const refused: Record<string, () => unknown> = {
    write: () => fs.write(file, 0, Uint8Array.of(1), KEEP_PRIVILEGES),
    setAttributes: () => fs.setAttributes(file, { mode: 0 }, USER),
    makeNode: () => fs.makeNode(ROOT_INO, name, { mode: 0o100644, rdev: 0, umask: 0 }, USER),
    makeDirectory: () => fs.makeDirectory(ROOT_INO, name, 0o755, 0, USER),
    makeSymlink: () => fs.makeSymlink(ROOT_INO, name, Uint8Array.of(65), USER),
    makeTemporary: () => fs.makeTemporary(ROOT_INO, 0o600, 0, USER),
    link: () => fs.link(file, ROOT_INO, name, USER),
    unlink: () => fs.unlink(ROOT_INO, nameOf('f'), USER),
    removeDirectory: () => fs.removeDirectory(ROOT_INO, nameOf('f'), USER),
    rename: () => fs.rename(ROOT_INO, nameOf('f'), ROOT_INO, name, 0, USER),
    allocate: () => fs.allocate(file, FALLOC_KEEP_SIZE, 0, 1),
    setExtendedAttribute: () => fs.setExtendedAttribute(file, 'user.x', Uint8Array.of(1), 0, USER, false),
    removeExtendedAttribute: () => fs.removeExtendedAttribute(file, 'user.x', USER),
  }
  for (const [operation, call] of Object.entries(refused)) t.throws(call, { code: 'READ_ONLY' }, operation)
  clock.advance(1_000_000)
  t.equal((await readAll(fs, file)).toString(), 'hello')
  t.equal(listDirectory(fs, ROOT_INO).length, 1)
  await fs.sync()
  await fs.close()
  t.equal(view.commits, 0)
  t.equal(view.pendingBytes, 0)
})

t.test('a chain without a file system cannot be opened read-only', async (t) => {
  const view = new MemoryRecordView()
  const options = { nameKey: NAME_KEY, onWarning: (message: string) => t.fail(message), readOnly: true }
  await t.rejects(openFileSystem({ view, options }), { code: 'READ_ONLY' })
  // Behind damage it is not new.
  await t.rejects(openFileSystem({ view, options: { ...options, allowDamage: true } }), { code: 'CHAIN_DAMAGED' })
})

t.test('a damaged root or count is an error, never a new root', async (t) => {
  for (const kind of [KIND_INODE, KIND_STATE]) {
    const mounted = await openMemoryFs()
    await mounted.fs.close()
    const view = mounted.view.reopened()
    view.put(kind, 0, 1, Uint8Array.of(9, 9))
    await t.rejects(openMemoryFs({}, view), { code: /INPUT_OUTPUT|BAD_FORMAT/ })
    const missing = mounted.view.reopened()
    missing.delete(kind, 0, 1)
    await t.rejects(openMemoryFs({}, missing), { code: 'CHAIN_DAMAGED' })
  }
})

t.test('many files left without a name by a crash are removed when opening', async (t) => {
  const mounted = await openMemoryFs()
  const { fs } = mounted
  const records = [...mounted.view.all()].length
  for (let i = 0; i < 2500; i++) {
    const { ino } = await fs.makeTemporary(ROOT_INO, 0o600, 0, USER)
    fs.retain(ino)
    await fs.write(ino, 100_000, Uint8Array.of(1), KEEP_PRIVILEGES)
  }
  await fs.sync()
  const after = await remountAfterCrash(mounted)
  await after.fs.sync()
  t.equal([...after.view.all()].length, records)
  t.same(after.warnings, [])
})

t.test('statistics follow the medium and the files', async (t) => {
  const space = { totalBytes: 1_000_000, freeBytes: 500_000, availableBytes: 400_000 }
  const { fs } = await openMemoryFs({ space: () => space })
  const before = fs.statistics()
  t.match(before, { blockBytes: 4096, blocks: 244, freeBlocks: 122, availableBlocks: 97, maxNameBytes: 255 })
  t.equal(before.files - before.freeFiles, 1)
  await makeFile(fs, ROOT_INO, 'f')
  const after = fs.statistics()
  t.equal(after.files - after.freeFiles, 2)
})
