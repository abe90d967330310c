/** Setuid, setgid and capabilities, and what takes them away (chown(2), write(2), capabilities(7)). */
import t from 'tap'
import { FALLOC_KEEP_SIZE, ROOT_INO, type Ino } from '../../../src/fs/vfs/types.js'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { KIND_XATTR } from '../../../src/fs/vfs/records/record-kinds.js'
import {
  makeDirectory,
  makeFile,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  USER,
} from '../../helpers/open-memory-fs.js'

const ROOT = { uid: 0, gid: 0, pid: 1 }

async function privileged(fs: ChainFileSystem, mode: number, name: string): Promise<Ino> {
  const file = await makeFile(fs, ROOT_INO, name, 'x')
  await fs.setExtendedAttribute(file, 'security.capability', Buffer.from('cap'), 0, ROOT, false)
  await fs.setAttributes(file, { mode }, ROOT)
  return file
}

const changes: Record<string, (fs: ChainFileSystem, file: Ino) => unknown> = {
  'a write on behalf of one without CAP_FSETID': (fs, file) =>
    fs.write(file, 0, Buffer.from('y'), { clearPrivileges: true }),
  'a truncation on behalf of one without CAP_FSETID': (fs, file) =>
    fs.setAttributes(file, { size: 0, clearPrivileges: true }, USER),
  'a new owner': (fs, file) => fs.setAttributes(file, { uid: 7 }, ROOT),
  'a new group': (fs, file) => fs.setAttributes(file, { gid: 7 }, ROOT),
  'an allocation by a user': (fs, file) => fs.allocate(file, FALLOC_KEEP_SIZE, 0, 10, USER),
  'a copy into it by a user': (fs, file) => fs.copyRange(file, 0, file, 10, 1, USER),
}

for (const [name, change] of Object.entries(changes)) {
  t.test(`${name} clears setuid, setgid and capabilities`, async (t) => {
    const { fs } = await openMemoryFs()
    const file = await privileged(fs, 0o6755, 'f')
    await change(fs, file)
    t.equal(fs.getAttributes(file).mode, 0o100755)
    t.equal(fs.getExtendedAttribute(file, 'security.capability'), undefined)
    const lockable = await privileged(fs, 0o6745, 'g')
    await change(fs, lockable)
    t.equal(fs.getAttributes(lockable).mode, 0o102745, 'setgid without group execution stays')
  })
}

t.test('what a request changed is committed even when the privileges cannot be cleared', async (t) => {
  const vault = await openMemoryFs()
  const { fs, view } = vault
  const file = await privileged(fs, 0o6755, 'f')
  await fs.sync()
  for (const { kind, high, low } of [...view.all()]) {
    if (kind === KIND_XATTR && high === file) view.put(kind, high, low, Buffer.from('no such record'))
  }
  const isCommitted = async (what: string): Promise<void> => {
    await fs.sync()
    const shown = (await readAll(fs, file)).toString()
    const { fs: after } = await remountAfterCrash(vault)
    t.equal((await readAll(after, file)).toString(), shown, `${what}: nothing is left behind that only memory has`)
  }
  await t.rejects(async () => fs.write(file, 0, Buffer.from('new content'), { clearPrivileges: true }))
  await isCommitted('a write')
  await t.rejects(async () => fs.allocate(file, 0, 0, 1000, USER))
  await isCommitted('an allocation')
  await t.rejects(async () => fs.setAttributes(file, { size: 3, clearPrivileges: true }, USER))
  await isCommitted('a truncation')
})

t.test('root keeps them', async (t) => {
  const { fs } = await openMemoryFs()
  const file = await privileged(fs, 0o6755, 'f')
  await fs.write(file, 0, Buffer.from('y'), { clearPrivileges: false })
  await fs.allocate(file, 0, 0, 100, ROOT)
  await fs.copyRange(file, 0, file, 10, 1, ROOT)
  await fs.setAttributes(file, { size: 0 }, ROOT)
  t.equal(fs.getAttributes(file).mode, 0o106755)
  t.ok(fs.getExtendedAttribute(file, 'security.capability'))
})

t.test('a directory keeps them when its owner changes', async (t) => {
  const { fs } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  await fs.setAttributes(directory, { mode: 0o6755 }, ROOT)
  await fs.setAttributes(directory, { uid: 7, gid: 7 }, ROOT)
  t.equal(fs.getAttributes(directory).mode, 0o046755)
})

t.test('everything below a setgid directory gets its group, directories the bit', async (t) => {
  const { fs } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  await fs.setAttributes(directory, { mode: 0o2755, gid: 77 }, ROOT)
  t.match(fs.getAttributes(await makeFile(fs, directory, 'f')), { gid: 77, mode: 0o100644 })
  t.match(fs.getAttributes(await makeDirectory(fs, directory, 'd')), { gid: 77, mode: 0o042755 })
})

t.test('trusted attributes are listed to root only', async (t) => {
  const { fs } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f')
  for (const name of ['user.trusted.a', 'trusted.b', 'user.c']) {
    await fs.setExtendedAttribute(file, name, Buffer.from('v'), 0, ROOT, false)
  }
  const names = (caller?: typeof USER): string[] =>
    Buffer.from(fs.listExtendedAttributes(file, caller)).toString().split('\0').filter(Boolean).sort()
  t.same(names(USER), ['user.c', 'user.trusted.a'])
  t.same(names(ROOT), ['trusted.b', 'user.c', 'user.trusted.a'])
  t.same(names(), names(ROOT))
})
