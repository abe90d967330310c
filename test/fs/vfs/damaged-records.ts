/** Records that cannot be decoded: an I/O error for the program, however it meets them, and one line in the log for each inode. */
import t, { type Test } from 'tap'
import { KIND_ENTRY, KIND_EXTENT, KIND_INODE, KIND_XATTR, MAX_LOW } from '../../../src/fs/vfs/records/record-kinds.js'
import { ROOT_INO, SEEK_DATA, SEEK_HOLE, type Ino } from '../../../src/fs/vfs/types.js'
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
  type MemoryFileSystem,
} from '../../helpers/open-memory-fs.js'

const HALF = 100_000

interface Sample extends MemoryFileSystem {
  one: Ino
  two: Ino
}

/** Two files below a directory each, with an attribute and holes between their extents, then `kind` records of both damaged. */
async function damaged(kind: number, high: (sample: Sample) => Ino[]): Promise<Sample> {
  const mounted = await openMemoryFs()
  const { fs, view } = mounted
  const make = async (name: string): Promise<Ino> => {
    const directory = await makeDirectory(fs, ROOT_INO, `${name}-directory`)
    const ino = await makeFile(fs, directory, name, 'head')
    await fs.write(ino, HALF, Buffer.from('tail'), KEEP_PRIVILEGES)
    await fs.setExtendedAttribute(ino, 'user.a', Buffer.from('value'), 0, USER, false)
    return ino
  }
  const sample = { ...mounted, one: await make('one'), two: await make('two') }
  await fs.sync()
  for (const of of high(sample)) {
    for (const { low } of view.range(kind, of, 0, MAX_LOW, 10)) view.put(kind, of, low, Uint8Array.of(0xff))
  }
  await view.commit()
  return { ...sample, ...(await remountAfterCrash(mounted)) }
}

/** Every way to the record fails, three times over, and nothing but `lines` is told. */
async function meet(t: Test, sample: Sample, code: string, ways: (() => unknown)[], lines: string[]) {
  for (let round = 0; round < 3; round++) {
    for (const way of ways) await t.rejects(async () => await way(), { code }, String(way))
  }
  t.same(sample.warnings, lines)
}

t.test('a damaged extended attribute is told once for each file', async (t) => {
  const sample = await damaged(KIND_XATTR, ({ one, two }) => [one, two])
  const { fs, one, two } = sample
  const value = Buffer.from('other')
  const ways = [one, two].flatMap((ino) => [
    () => fs.getExtendedAttribute(ino, 'user.a'),
    () => fs.listExtendedAttributes(ino),
    () => fs.setExtendedAttribute(ino, 'user.a', value, 0, USER, false),
    () => fs.removeExtendedAttribute(ino, 'user.a', USER),
  ])
  const line = (ino: Ino): string =>
    `An extended attribute of inode ${ino} cannot be read: its record is damaged. Run fsck.`
  await meet(t, sample, 'BAD_FORMAT', ways, [line(one), line(two)])
})

t.test('damaged extents are told once for each file, whoever meets them', async (t) => {
  const line = (ino: Ino): string => `Content of inode ${ino} cannot be read: it is damaged. Run fsck.`
  const waysOf = ({ fs }: Sample, ino: Ino): (() => unknown)[] => [
    () => readAll(fs, ino),
    () => fs.seek(ino, 1, SEEK_DATA),
    () => fs.seek(ino, 0, SEEK_HOLE),
    () => fs.setAttributes(ino, { size: 2 }, USER),
  ]
  const all = await damaged(KIND_EXTENT, ({ one, two }) => [one, two])
  await meet(t, all, 'BAD_FORMAT', [...waysOf(all, all.one), ...waysOf(all, all.two)], [line(all.one), line(all.two)])
  for (const index of [0, 1, 2, 3]) {
    const sample = await damaged(KIND_EXTENT, ({ one }) => [one])
    await meet(t, sample, 'BAD_FORMAT', waysOf(sample, sample.one).slice(index, index + 1), [line(sample.one)])
  }
})

t.test('a damaged entry is told once for each directory, looked up or listed', async (t) => {
  const parents: Ino[] = []
  const sample = await damaged(KIND_ENTRY, ({ fs }) => {
    for (const name of ['one', 'two']) parents.push(exists(fs, ROOT_INO, `${name}-directory`)?.ino ?? 0)
    return parents
  })
  const { fs } = sample
  const [first = 0, second = 0] = parents
  const ways = [
    () => exists(fs, first, 'one'),
    () => exists(fs, second, 'two'),
    () => fs.unlink(first, nameOf('one'), USER),
  ]
  const lines = parents.map((ino) => `An entry of directory ${ino} cannot be read: its record is damaged. Run fsck.`)
  await meet(t, sample, 'BAD_FORMAT', ways, lines)
  t.same(listDirectory(fs, first), [])
  t.same(sample.warnings, lines, 'the listing has nothing to add')
})

t.test('a damaged inode is told once', async (t) => {
  const mounted = await openMemoryFs()
  const ino = await makeFile(mounted.fs, ROOT_INO, 'one', 'content')
  await mounted.fs.sync()
  mounted.view.put(KIND_INODE, 0, ino, Uint8Array.of(0xff))
  await mounted.view.commit()
  const { fs, warnings } = await remountAfterCrash(mounted)
  for (let round = 0; round < 3; round++) {
    t.throws(() => exists(fs, ROOT_INO, 'one'), { code: 'INPUT_OUTPUT' })
    t.throws(() => fs.getAttributes(ino), { code: 'INPUT_OUTPUT' })
  }
  t.same(warnings, [`Inode ${ino} cannot be read: its record is damaged. Run fsck.`])
})
