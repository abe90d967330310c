/** A file system takes in what another copy of its chain made, while it is in use. */
import t from 'tap'
import { checkFileSystem } from '../../../src/fs/vfs/check/check.js'
import { KIND_STATE, STATE_NUMBERS } from '../../../src/fs/vfs/records/record-kinds.js'
import { RENAME_EXCHANGE, ROOT_INO, type Attributes, type Ino } from '../../../src/fs/vfs/types.js'
import { batchesFor, carry, openCopy, openOn, type ChainCopy } from '../../helpers/carried-chains.js'
import { exists, KEEP_PRIVILEGES, listDirectory, makeDirectory, makeFile } from '../../helpers/open-memory-fs.js'
import { ManualClock, nameOf, NAME_KEY, readAll, USER } from '../../helpers/open-memory-fs.js'
import { seededRandom } from '../../helpers/seeded-random.js'

async function twoCopies(): Promise<[ChainCopy, ChainCopy]> {
  const first = await openCopy(1)
  return [first, await openCopy(2, first)]
}

async function text(copy: ChainCopy, name: string, parent: Ino = ROOT_INO): Promise<string | undefined> {
  const found = exists(copy.fs, parent, name)
  return found === undefined ? undefined : String(await readAll(copy.fs, found.ino))
}

await t.test('what one makes, changes and removes, the other sees, whatever it had in memory', async (t) => {
  const [a, b] = await twoCopies()
  t.equal(exists(b.fs, ROOT_INO, 'file'), undefined)
  t.same(listDirectory(b.fs, ROOT_INO), [])
  const ino = await makeFile(a.fs, ROOT_INO, 'file', 'one')
  await carry(a, b)
  t.equal(await text(b, 'file'), 'one')
  t.same(
    listDirectory(b.fs, ROOT_INO).map(({ name }) => name),
    ['file'],
  )
  await a.fs.write(ino, 0, Buffer.from('two, longer'), KEEP_PRIVILEGES)
  await a.fs.setAttributes(ino, { mode: 0o600 }, USER)
  await a.fs.setExtendedAttribute(ino, 'user.x', Buffer.from('y'), 0, USER, false)
  await carry(a, b)
  t.equal(await text(b, 'file'), 'two, longer')
  t.equal(exists(b.fs, ROOT_INO, 'file')?.mode, 0o100600)
  t.equal(Buffer.from(b.fs.getExtendedAttribute(ino, 'user.x') ?? []).toString(), 'y')
  // And back.
  await b.fs.rename(ROOT_INO, nameOf('file'), ROOT_INO, nameOf('renamed'), 0, USER)
  await b.fs.write(ino, 100_000, Buffer.from('far'), KEEP_PRIVILEGES)
  await carry(b, a)
  t.equal(exists(a.fs, ROOT_INO, 'file'), undefined)
  t.equal(exists(a.fs, ROOT_INO, 'renamed')?.size, 100_003)
  await a.fs.unlink(ROOT_INO, nameOf('renamed'), USER)
  await carry(a, b)
  t.equal(exists(b.fs, ROOT_INO, 'renamed'), undefined)
  t.same(listDirectory(b.fs, ROOT_INO), [])
  t.throws(() => b.fs.getAttributes(ino), { code: 'STALE' })
  t.same([...a.warnings, ...b.warnings], [])
})

await t.test('inode numbers are never given twice, and few are lost when the turn changes', async (t) => {
  const [a, b] = await twoCopies()
  const seen = new Set<Ino>()
  for (let round = 0; round < 10; round++) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (let i = 0; i < 3; i++) seen.add(await makeFile(from.fs, ROOT_INO, `${round} ${seen.size}`))
      await carry(from, to)
    }
  }
  t.equal(seen.size, 60)
  t.ok(Math.max(...seen) < 3 * 4096, 'each goes on with those that it has reserved')
})

await t.test('who listens is told which entries, attributes and contents the kernel must forget', async (t) => {
  const [a, b] = await twoCopies()
  const directory = await makeDirectory(a.fs, ROOT_INO, 'd')
  const file = await makeFile(a.fs, directory, 'file', 'x'.repeat(200_000))
  const unseen = await makeDirectory(a.fs, ROOT_INO, 'unseen')
  await carry(a, b)
  t.same(
    b.told.at(-1)?.entries.map(({ name, gone }) => [name, gone]),
    [
      ['d', undefined],
      ['unseen', undefined],
    ],
  )
  t.same(b.told.at(-1)?.directories, [ROOT_INO])
  // The kernel has looked these two up.
  for (const ino of [directory, file]) b.fs.retain(ino)
  await a.fs.write(file, 70_000, Buffer.from('changed'), KEEP_PRIVILEGES)
  await makeFile(a.fs, unseen, 'nobody here knows the directory')
  await carry(a, b)
  const { entries, directories, inodes } = b.told.at(-1) ?? {}
  t.same([entries, directories], [[], []])
  t.equal(inodes?.length, 1)
  const [changed] = inodes ?? []
  t.equal(changed?.ino, file)
  t.ok((changed?.content?.from ?? Infinity) <= 70_000 && (changed?.content?.to ?? 0) >= 70_007)
  t.ok(
    (changed?.content?.from ?? 0) >= 65_536 && (changed?.content?.to ?? Infinity) <= 131_072,
    'and no more than its chunk',
  )
  await a.fs.setAttributes(file, { mode: 0o600 }, USER)
  await carry(a, b)
  t.same(b.told.at(-1)?.inodes, [{ ino: file, content: undefined }], 'attributes only')
  await a.fs.rename(directory, nameOf('file'), ROOT_INO, nameOf('elsewhere'), 0, USER)
  await carry(a, b)
  t.same(b.told.at(-1)?.entries, [
    { parent: ROOT_INO, name: 'elsewhere', gone: undefined },
    { parent: directory, name: 'file', gone: undefined },
  ])
  await a.fs.unlink(ROOT_INO, nameOf('elsewhere'), USER)
  await a.fs.removeDirectory(ROOT_INO, nameOf('d'), USER)
  await carry(a, b)
  t.same(b.told.at(-1)?.entries, [
    { parent: ROOT_INO, name: 'elsewhere', gone: file },
    { parent: ROOT_INO, name: 'd', gone: directory },
  ])
})

await t.test('a file deleted elsewhere can be read by who has it open, and not be changed', async (t) => {
  const [a, b] = await twoCopies()
  const content = Buffer.from('many extents '.repeat(20_000))
  const ino = await makeFile(a.fs, ROOT_INO, 'file', String(content))
  const link = (await a.fs.makeSymlink(ROOT_INO, nameOf('link'), Buffer.from('target'), USER)).ino
  await carry(a, b)
  for (const one of [ino, link]) b.fs.retain(one)
  await a.fs.unlink(ROOT_INO, nameOf('file'), USER)
  await a.fs.unlink(ROOT_INO, nameOf('link'), USER)
  await carry(a, b)
  t.equal(exists(b.fs, ROOT_INO, 'file'), undefined)
  t.equal(b.fs.getAttributes(ino).nlink, 0)
  t.ok(content.equals(await readAll(b.fs, ino)))
  t.equal(Buffer.from(b.fs.readLink(link)).toString(), 'target')
  const stale = { code: 'STALE' }
  t.throws(() => b.fs.write(ino, 0, Buffer.from('x'), KEEP_PRIVILEGES), stale)
  t.throws(() => b.fs.setAttributes(ino, { size: 0 }, USER), stale)
  t.throws(() => b.fs.allocate(ino, 0, 0, 10, USER), stale)
  t.throws(() => b.fs.link(ino, ROOT_INO, nameOf('again'), USER), stale)
  t.throws(() => b.fs.setExtendedAttribute(ino, 'user.x', Buffer.alloc(1), 0, USER, false), stale)
  t.equal(b.fs.dirtyBytes, 0)
  b.fs.release(ino, 1)
  t.throws(() => b.fs.getAttributes(ino), stale)
})

await t.test(
  'a file without a name lives on for who has it open, and goes with his last reference, everywhere',
  async (t) => {
    const [a, b] = await twoCopies()
    const ino = await makeFile(a.fs, ROOT_INO, 'file', 'content')
    a.fs.retain(ino)
    await a.fs.unlink(ROOT_INO, nameOf('file'), USER)
    await carry(a, b)
    t.equal(b.fs.getAttributes(ino).nlink, 0)
    // A third machine that comes leaves it alone, and so does the other one when it comes again.
    const c = await openCopy(3, a)
    const again = await openOn(b.chain, 2)
    for (const copy of [again, c]) t.equal(copy.fs.getAttributes(ino).nlink, 0)
    t.equal(again.chain.view.pendingBytes + again.fs.dirtyBytes, 0)
    a.fs.release(ino, 1)
    await carry(a, c)
    t.throws(() => c.fs.getAttributes(ino), { code: 'STALE' })
  },
)

await t.test('what a machine that never returns had open is removed by others after a month', async (t) => {
  const clock = new ManualClock()
  const a = await openCopy(1, undefined, { clock })
  const ino = await makeFile(a.fs, ROOT_INO, 'file', 'content')
  a.fs.retain(ino)
  await a.fs.unlink(ROOT_INO, nameOf('file'), USER)
  await a.fs.flush()
  clock.advance(11 * 86_400)
  await makeFile(a.fs, ROOT_INO, 'other')
  const b = await openCopy(2, a, { clock })
  clock.advance(29 * 86_400)
  t.equal((await openOn(b.chain, 2, { clock })).fs.getAttributes(ino).nlink, 0, 'it said so 29 days ago')
  clock.advance(2 * 86_400)
  const later = await openOn(b.chain, 2, { clock })
  t.throws(() => later.fs.getAttributes(ino), { code: 'STALE' })
  await later.fs.sync()
  for await (const finding of checkFileSystem({ view: b.chain.view, nameKey: NAME_KEY })) t.fail(finding.message)
})

await t.test('what a machine that died had open is removed when it comes again', async (t) => {
  const a = await openCopy(1)
  const ino = await makeFile(a.fs, ROOT_INO, 'file', 'content')
  a.fs.retain(ino)
  await a.fs.unlink(ROOT_INO, nameOf('file'), USER)
  await a.fs.flush()
  const again = await openOn(a.chain, 1)
  t.throws(() => again.fs.getAttributes(ino), { code: 'STALE' })
})

await t.test('what is refused changes nothing, and changes wait while something is taken in', async (t) => {
  const [a, b] = await twoCopies()
  await makeFile(a.fs, ROOT_INO, 'one')
  await makeFile(b.fs, ROOT_INO, 'other')
  await t.rejects(carry(a, b), { code: 'CHAIN_FORKED' })
  t.same(
    listDirectory(b.fs, ROOT_INO).map(({ name }) => name),
    ['other'],
  )
  const c = await openCopy(3, a)
  await makeFile(a.fs, ROOT_INO, 'two')
  await a.fs.flush()
  const received = c.fs.receive(await batchesFor(c, a), { isDurable: false, mayMiss: false })
  const made = makeFile(c.fs, ROOT_INO, 'two')
  await t.rejects(made, { code: 'EXISTS' }, 'it waited, and met what was taken in')
  await received
})

await t.test('inode numbers in a form that is not known are refused before anything is kept', async (t) => {
  const [a, b] = await twoCopies()
  const { headSequence } = b.chain.view.writerStatus
  a.chain.view.put(KIND_STATE, 0, STATE_NUMBERS, Buffer.from([99, 1]))
  await a.chain.view.commit()
  await t.rejects(carry(a, b), { code: 'BAD_FORMAT' })
  t.equal(b.chain.view.writerStatus.headSequence, headSequence)
  await makeFile(b.fs, ROOT_INO, 'here')
  await b.fs.sync()
})

await t.test('in another turn nothing becomes dirty: reading, closing, releasing', async (t) => {
  const [a, b] = await twoCopies()
  const ino = await makeFile(a.fs, ROOT_INO, 'file', 'content')
  await carry(a, b)
  let wanted = 0
  const never = new Promise<void>(() => undefined)
  b.chain.view.reserve = () => {
    wanted++
    return never
  }
  await readAll(b.fs, ino)
  listDirectory(b.fs, ROOT_INO)
  await b.fs.sync()
  await b.fs.flush()
  t.equal(b.fs.dirtyBytes + b.chain.view.pendingBytes, 0)
  t.equal(wanted, 0, 'nor is the turn asked for')
  t.ok(b.fs.write(ino, 0, Buffer.from('x'), KEEP_PRIVILEGES) instanceof Promise)
  t.ok(b.fs.allocate(ino, 0, 0, 10, USER) instanceof Promise)
  t.ok(b.fs.copyRange(ino, 0, ino, 10, 5, USER) instanceof Promise)
  t.ok(b.fs.setAttributes(ino, { mode: 0o600 }, USER) instanceof Promise)
  t.ok(b.fs.setExtendedAttribute(ino, 'user.x', Buffer.alloc(1), 0, USER, false) instanceof Promise)
  t.ok(b.fs.rename(ROOT_INO, nameOf('file'), ROOT_INO, nameOf('x'), 0, USER) instanceof Promise)
  t.equal(b.fs.dirtyBytes + b.chain.view.pendingBytes, 0)
  await b.fs.close()
  t.equal(b.chain.view.pendingBytes, 0)
})

/** Everything that can be seen of a tree. */
async function seen({ fs }: ChainCopy, ino: Ino = ROOT_INO, path = ''): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = { [path]: attributesOf(fs.getAttributes(ino)) }
  for (const { name, ino: child } of listDirectory(fs, ino)) {
    const below = `${path}/${name}`
    if (exists(fs, ino, name)?.ino !== child) throw new Error(`${below} is listed and cannot be looked up`)
    if ((fs.getAttributes(child).mode & 0o170000) === 0o040000) {
      Object.assign(all, await seen({ fs } as ChainCopy, child, below))
      continue
    }
    all[below] = attributesOf(fs.getAttributes(child))
    all[`${below} content`] = (await readAll(fs, child)).toString('latin1')
  }
  return all
}

/** The access time is each machine's own. */
function attributesOf({
  ino,
  mode,
  nlink,
  uid,
  size,
  blocks,
  mtimeSec,
  mtimeNsec,
  ctimeSec,
  ctimeNsec,
}: Attributes): unknown {
  return { ino, mode, nlink, uid, size, blocks, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec }
}

await t.test('three machines that change one tree in turn see the same, whatever they remember', async (t) => {
  const seed = Number(process.env['ATEFS_FUZZ_SEED'] ?? 4711)
  const rounds = Number(process.env['ATEFS_FUZZ_RUNS'] ?? 60)
  t.comment(`seed ${seed}`)
  const next = seededRandom(seed)
  const random = (below: number): number => Math.floor(next() * below)
  const first = await openCopy(1, undefined, { cachedInodes: 12 })
  const copies = [first, await openCopy(2, first), await openCopy(3, first, { cachedInodes: 4 })]
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
  for (let round = 0; round < rounds; round++) {
    const copy = pick(copies)
    for (let step = random(5); step >= 0; step--) await change(copy, random).catch(() => undefined)
    const others = copies.filter((other) => other !== copy)
    for (const other of others) await carry(copy, other, 1 + random(3))
    const expected = await seen(copy)
    for (const other of others) {
      if (random(3) > 0) continue
      t.same(await seen(other), expected, `round ${round}`)
    }
  }
  for (const { chain, warnings } of copies) {
    for await (const finding of checkFileSystem({ view: chain.view, nameKey: NAME_KEY })) t.fail(finding.message)
    t.same(warnings, [])
  }
})

async function change({ fs }: ChainCopy, random: (below: number) => number): Promise<void> {
  const name = (): ReturnType<typeof nameOf> => nameOf(`n${random(6)}`)
  const directories = [ROOT_INO]
  for (const { ino, type } of listDirectory(fs, ROOT_INO)) if (type === 4) directories.push(ino)
  const parent = directories[random(directories.length)] ?? ROOT_INO
  const target = directories[random(directories.length)] ?? ROOT_INO
  const found = fs.lookup(parent, name())
  const kind = random(10)
  if (kind === 0) await makeFile(fs, parent, name(), 'x'.repeat(random(3000)))
  else if (kind === 1) await makeDirectory(fs, ROOT_INO, name())
  else if (kind === 2) await fs.unlink(parent, name(), USER)
  else if (kind === 3) await fs.removeDirectory(ROOT_INO, name(), USER)
  else if (kind === 4) await fs.rename(parent, name(), target, name(), random(3) === 0 ? RENAME_EXCHANGE : 0, USER)
  else if (found === undefined) return
  else if (kind === 5) await fs.setAttributes(found.ino, { size: random(200_000) }, USER)
  else if (kind === 6) await fs.link(found.ino, target, name(), USER)
  else await fs.write(found.ino, random(150_000), Buffer.alloc(1 + random(70_000), `${random(1000)} `), KEEP_PRIVILEGES)
}
