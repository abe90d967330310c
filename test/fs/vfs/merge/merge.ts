/** What was made on two sides is brought together: what one changed is taken, what both did is kept twice. */
import t from 'tap'
import { checkFileSystem } from '../../../../src/fs/vfs/check/check.js'
import type { ChainFileSystem } from '../../../../src/fs/vfs/file-system.js'
import { ROOT_INO, type Ino } from '../../../../src/fs/vfs/types.js'
import { carry } from '../../../helpers/carried-chains.js'
import { exists, KEEP_PRIVILEGES, listDirectory, makeDirectory, makeFile } from '../../../helpers/open-memory-fs.js'
import { nameOf, NAME_KEY, readAll, USER } from '../../../helpers/open-memory-fs.js'
import { type PartedCopies, partedCopies, tailOf } from '../../../helpers/parted-copies.js'
import { seededRandom } from '../../../helpers/seeded-random.js'

const MARK = ' (conflict of host 2026-11-21 22.10.03)'

/** Paths, and of files their contents. */
async function tree(fs: ChainFileSystem, ino: Ino = ROOT_INO, path = ''): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const { name, ino: each } of listDirectory(fs, ino)) {
    const { mode, nlink } = fs.getAttributes(each)
    const type = mode & 0o170000
    if (type === 0o040000) {
      found.set(`${path}${name}/`, '')
      for (const [key, value] of await tree(fs, each, `${path}${name}/`)) found.set(key, value)
    } else if (type === 0o120000) found.set(path + name, `-> ${Buffer.from(fs.readLink(each)).toString()}`)
    else found.set(path + name, type === 0o100000 ? String(await readAll(fs, each)) : `${type} ${nlink}`)
  }
  return found
}

async function merged(copies: PartedCopies): Promise<{ conflicts: number; tree: Map<string, string> }> {
  const report = await copies.theirs.fs.merge(await tailOf(copies))
  await demandWhole(copies)
  return { conflicts: report?.conflicts ?? -1, tree: await tree(copies.theirs.fs) }
}

async function demandWhole({ theirs, base }: PartedCopies): Promise<void> {
  await carry(theirs, base)
  for (const { chain } of [theirs, base])
    for await (const finding of checkFileSystem({ view: chain.view, nameKey: NAME_KEY })) t.fail(finding.message)
  t.strictSame(await tree(base.fs), await tree(theirs.fs), 'every copy has the same tree')
}

async function rename(fs: ChainFileSystem, from: string, to: string, parent: Ino = ROOT_INO): Promise<void> {
  await fs.rename(parent, nameOf(from), ROOT_INO, nameOf(to), 0, USER)
}

async function write(fs: ChainFileSystem, name: string, content: string): Promise<void> {
  const ino = exists(fs, ROOT_INO, name)?.ino ?? (await makeFile(fs, ROOT_INO, name))
  await fs.setAttributes(ino, { size: 0 }, USER)
  await fs.write(ino, 0, Buffer.from(content), KEEP_PRIVILEGES)
}

await t.test('what only one side changed is taken: files, names, attributes, deletions', async (t) => {
  const copies = await partedCopies(async (fs) => {
    for (const name of ['edited', 'renamed', 'deleted', 'mode', 'theirs']) await write(fs, name, `${name} before`)
    await makeDirectory(fs, ROOT_INO, 'old')
  })
  const { mine, theirs } = copies
  await write(mine.fs, 'edited', 'edited offline')
  await rename(mine.fs, 'renamed', 'moved')
  await mine.fs.unlink(ROOT_INO, nameOf('deleted'), USER)
  const mode = exists(mine.fs, ROOT_INO, 'mode')?.ino ?? 0
  await mine.fs.setAttributes(mode, { mode: 0o600, uid: 7 }, USER)
  await mine.fs.setExtendedAttribute(mode, 'user.a', Buffer.from('x'), 0, USER, false)
  await mine.fs.removeDirectory(ROOT_INO, nameOf('old'), USER)
  const directory = await makeDirectory(mine.fs, ROOT_INO, 'new')
  const large = await makeFile(mine.fs, directory, 'large', 'y'.repeat(300_000))
  await mine.fs.link(large, ROOT_INO, nameOf('linked'), USER)
  await mine.fs.makeSymlink(directory, nameOf('link'), Buffer.from('../edited'), USER)
  await mine.fs.makeNode(directory, nameOf('fifo'), { mode: 0o010644, rdev: 0, umask: 0 }, USER)
  await write(theirs.fs, 'theirs', 'theirs online')
  await write(theirs.fs, 'added', 'added online')
  const { conflicts, tree } = await merged(copies)
  t.equal(conflicts, 0)
  t.strictSame(
    [...tree.keys()].sort(),
    ['added', 'edited', 'linked', 'mode', 'moved', 'new/', 'new/fifo', 'new/large', 'new/link', 'theirs'].sort(),
  )
  t.equal(tree.get('edited'), 'edited offline')
  t.equal(tree.get('theirs'), 'theirs online')
  t.equal(tree.get('moved'), 'renamed before')
  t.equal(tree.get('new/large')?.length, 300_000)
  t.equal(tree.get('new/link'), '-> ../edited')
  t.equal(exists(theirs.fs, ROOT_INO, 'linked')?.ino, large, 'numbers stay what they were')
  t.equal(exists(theirs.fs, ROOT_INO, 'linked')?.nlink, 2)
  t.match(exists(theirs.fs, ROOT_INO, 'mode'), { mode: 0o100600, uid: 7 })
  t.equal(Buffer.from(theirs.fs.getExtendedAttribute(mode, 'user.a') ?? []).toString(), 'x')
})

await t.test('a file that both changed is there twice, with its extension', async (t) => {
  const copies = await partedCopies(async (fs) => {
    await write(fs, 'report.txt', 'before')
    await write(fs, 'same', 'before')
  })
  await write(copies.mine.fs, 'report.txt', 'offline')
  await write(copies.theirs.fs, 'report.txt', 'online')
  for (const { fs } of [copies.mine, copies.theirs]) await write(fs, 'same', 'made on both sides')
  const { tree } = await merged(copies)
  t.strictSame(Object.fromEntries(tree), {
    'report.txt': 'online',
    [`report${MARK}.txt`]: 'offline',
    same: 'made on both sides',
  })
})

await t.test('changed on one side and deleted on the other it stays', async (t) => {
  const copies = await partedCopies(async (fs) => {
    await write(fs, 'a', 'before')
    await write(fs, 'b', 'before')
    await makeFile(fs, await makeDirectory(fs, ROOT_INO, 'd'), 'c', 'before')
  })
  const { mine, theirs } = copies
  await write(mine.fs, 'a', 'offline')
  await theirs.fs.unlink(ROOT_INO, nameOf('a'), USER)
  await mine.fs.unlink(ROOT_INO, nameOf('b'), USER)
  await write(theirs.fs, 'b', 'online')
  const d = exists(mine.fs, ROOT_INO, 'd')?.ino ?? 0
  await mine.fs.write(exists(mine.fs, d, 'c')?.ino ?? 0, 0, Buffer.from('OFFLINE'), KEEP_PRIVILEGES)
  await theirs.fs.unlink(d, nameOf('c'), USER)
  await theirs.fs.removeDirectory(ROOT_INO, nameOf('d'), USER)
  const { tree } = await merged(copies)
  t.strictSame(Object.fromEntries(tree), {
    [`a${MARK}`]: 'offline',
    b: 'online',
    'd/': '',
    [`d/c${MARK}`]: 'OFFLINE',
  })
})

await t.test('the same name made on both sides: files are both kept, directories become one', async (t) => {
  const copies = await partedCopies(async () => undefined)
  for (const [{ fs }, text] of [
    [copies.mine, 'offline'],
    [copies.theirs, 'online'],
  ] as const) {
    await write(fs, '.profile', text)
    const directory = await makeDirectory(fs, ROOT_INO, 'd')
    await makeFile(fs, directory, text, text)
    await makeFile(fs, directory, 'both', text)
    await makeFile(fs, directory, 'equal', 'equal')
  }
  const { tree } = await merged(copies)
  t.strictSame(Object.fromEntries([...tree].sort()), {
    '.profile': 'online',
    [`.profile${MARK}`]: 'offline',
    'd/': '',
    'd/both': 'online',
    [`d/both${MARK}`]: 'offline',
    'd/equal': 'equal',
    'd/offline': 'offline',
    'd/online': 'online',
  })
})

await t.test('moves that together would be a circle: those that came first stay', async (t) => {
  const copies = await partedCopies(async (fs) => {
    await makeFile(fs, await makeDirectory(fs, ROOT_INO, 'a'), 'in a', 'a')
    await makeFile(fs, await makeDirectory(fs, ROOT_INO, 'b'), 'in b', 'b')
  })
  const { mine, theirs } = copies
  const a = exists(mine.fs, ROOT_INO, 'a')?.ino ?? 0
  const b = exists(mine.fs, ROOT_INO, 'b')?.ino ?? 0
  await mine.fs.rename(ROOT_INO, nameOf('a'), b, nameOf('a'), 0, USER)
  await theirs.fs.rename(ROOT_INO, nameOf('b'), a, nameOf('b'), 0, USER)
  const { tree } = await merged(copies)
  t.strictSame([...tree.keys()].sort(), ['a/', 'a/b/', 'a/b/in b', 'a/in a'])
})

await t.test('names that were exchanged are exchanged, a file that was replaced is replaced', async (t) => {
  const copies = await partedCopies(async (fs) => {
    for (const name of ['one', 'two', 'saved']) await write(fs, name, name)
    for (const name of ['x', 'y']) await makeFile(fs, await makeDirectory(fs, ROOT_INO, name), name, name)
  })
  const { fs } = copies.mine
  await fs.rename(ROOT_INO, nameOf('one'), ROOT_INO, nameOf('two'), 2, USER)
  await fs.rename(ROOT_INO, nameOf('x'), ROOT_INO, nameOf('y'), 2, USER)
  await write(fs, 'saved~', 'saved offline')
  await rename(fs, 'saved~', 'saved')
  const { tree, conflicts } = await merged(copies)
  t.equal(conflicts, 0)
  t.strictSame(Object.fromEntries([...tree].sort()), {
    one: 'two',
    saved: 'saved offline',
    two: 'one',
    'x/': '',
    'x/y': 'y',
    'y/': '',
    'y/x': 'x',
  })
})

await t.test('what was merged is not merged again', async (t) => {
  const copies = await partedCopies(async () => undefined)
  await write(copies.mine.fs, 'file', 'offline')
  const tail = await tailOf(copies)
  t.match(await copies.theirs.fs.merge(tail), { conflicts: 0, failures: 0 })
  await copies.theirs.fs.unlink(ROOT_INO, nameOf('file'), USER)
  t.equal(await copies.theirs.fs.merge(tail), undefined)
  t.equal(exists(copies.theirs.fs, ROOT_INO, 'file'), undefined)
})

/** Something at random, on what there is. */
async function change(fs: ChainFileSystem, random: () => number, text: string): Promise<void> {
  const directories: Ino[] = [ROOT_INO]
  const entries: { parent: Ino; name: string; ino: Ino; isDirectory: boolean }[] = []
  for (const parent of directories)
    for (const { name, ino, type } of listDirectory(fs, parent)) {
      entries.push({ parent, name, ino, isDirectory: type === 4 })
      if (type === 4) directories.push(ino)
    }
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)]
  const into = pick(directories) ?? ROOT_INO
  const name = nameOf(pick(['a', 'b', 'c.txt', 'd', 'e.md']) ?? '')
  const entry = pick(entries)
  const what = Math.floor(random() * 12)
  if (what === 0) await makeFile(fs, into, name, text)
  else if (what === 1) await fs.makeDirectory(into, name, 0o755, 0, USER)
  else if (what === 2) await fs.makeSymlink(into, name, Buffer.from(text), USER)
  else if (entry === undefined) return
  else if (what === 3) await fs.rename(entry.parent, nameOf(entry.name), into, name, 0, USER)
  else if (what === 4 && !entry.isDirectory) await fs.unlink(entry.parent, nameOf(entry.name), USER)
  else if (what === 5 && entry.isDirectory) await fs.removeDirectory(entry.parent, nameOf(entry.name), USER)
  else if (what === 6) await fs.link(entry.ino, into, name, USER)
  else if (what === 7) await fs.setAttributes(entry.ino, { mode: Math.floor(random() * 0o777) }, USER)
  else if (what === 8) await fs.setExtendedAttribute(entry.ino, 'user.x', Buffer.from(text), 0, USER, false)
  else if (what === 9) await fs.rename(entry.parent, nameOf(entry.name), into, nameOf(`${name}${text}`), 0, USER)
  else {
    await fs.write(entry.ino, 0, Buffer.from(text), KEEP_PRIVILEGES)
    await fs.setAttributes(entry.ino, { size: text.length }, USER)
  }
}

async function changes(fs: ChainFileSystem, random: () => number, side: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await change(fs, random, `${side}${i} `).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error)) throw error
    })
}

const runs = Number(process.env['ATEFS_TEST_RUNS'] ?? 60)

await t.test('whatever both sides do: one tree, whole, with all that either has written', async (t) => {
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed)
    const copies = await partedCopies((fs) => changes(fs, random, 'base', 30))
    const { mine, theirs } = copies
    const before = new Set((await tree(theirs.fs)).values())
    await changes(theirs.fs, random, 'theirs', 25)
    await changes(mine.fs, random, 'mine', 25)
    const wanted = [...(await tree(mine.fs)).values(), ...(await tree(theirs.fs)).values()]
    const { tree: found } = await merged(copies)
    const contents = new Set(found.values())
    for (const content of wanted)
      if (/^(mine|theirs)\d/.test(content) && !before.has(content) && !contents.has(content))
        return t.fail(`${content} is lost (seed ${seed})`)
    if ([...found.keys()].some((path) => path.includes('.merging-')))
      return t.fail(`on its way for ever (seed ${seed})`)
  }
  t.pass('nothing is lost')
})
