/** Directories: hashes that collide, listings under change, cookies, damage. */
import * as fc from 'fast-check'
import t from 'tap'
import { KIND_ENTRY } from '../../../../src/fs/vfs/records/record-kinds.js'
import { ROOT_INO } from '../../../../src/fs/vfs/types.js'
import type { ChainFileSystem } from '../../../../src/fs/vfs/file-system.js'
import {
  exists,
  listDirectory,
  makeDirectory,
  makeFile,
  nameOf,
  openMemoryFs,
  remountAfterCrash,
  USER,
} from '../../../helpers/open-memory-fs.js'

/** Twenty-odd names share each of these three places. */
const weakHash = (name: string): number => [5, 2 ** 40, 2 ** 53 - 1][name.length % 3] ?? 0
const node = { mode: 0o100644, rdev: 0, umask: 0 }

t.test('names whose hashes collide are as good as others', async (t) => {
  const names = fc.uniqueArray(
    fc.nat(60).map((n) => 'x'.repeat(n + 1)),
    { maxLength: 60 },
  )
  const step = fc.record({
    name: fc.nat(60),
    action: fc.constantFrom('make', 'remove', 'rename', 'replace'),
    other: fc.nat(60),
  })
  await fc.assert(
    fc.asyncProperty(
      names,
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      async (names, steps, chunk) => {
        const mounted = await openMemoryFs({ hashName: weakHash })
        const { fs } = mounted
        const model = new Map<string, number>()
        for (const name of names) model.set(name, await makeFile(fs, ROOT_INO, name))
        for (const { name: nameLength, action, other: otherLength } of steps) {
          const [name, other] = ['x'.repeat(nameLength + 1), 'x'.repeat(otherLength + 1)]
          const ino = model.get(name)
          if (action === 'make' && ino === undefined) {
            model.set(name, await makeFile(fs, ROOT_INO, name))
          } else if (action === 'remove' && ino !== undefined) {
            await fs.unlink(ROOT_INO, nameOf(name), USER)
            model.delete(name)
          } else if (ino !== undefined) {
            await fs.rename(ROOT_INO, nameOf(name), ROOT_INO, nameOf(other), 0, USER)
            model.delete(name)
            model.set(other, ino)
          }
        }
        await fs.sync()
        for (const { fs } of [mounted, await remountAfterCrash(mounted, { hashName: weakHash })]) {
          const listed = listDirectory(fs, ROOT_INO, chunk)
          t.same(new Map(listed.map(({ name, ino }) => [name, ino])), model)
          t.equal(listed.length, model.size, 'each once')
          for (const [name, ino] of model) t.equal(exists(fs, ROOT_INO, name)?.ino, ino)
        }
      },
    ),
    { seed: 7, numRuns: 60 },
  )
})

t.test('too many names with one hash are refused, not lost', async (t) => {
  const { fs } = await openMemoryFs({ hashName: () => 1 })
  for (let i = 0; i < 32; i++) await makeFile(fs, ROOT_INO, `f${i}`)
  t.throws(() => fs.makeNode(ROOT_INO, nameOf('one more'), node, USER), { code: 'NO_SPACE' })
  t.equal(listDirectory(fs, ROOT_INO).length, 32)
  t.equal(fs.getAttributes(ROOT_INO).size, 32)
})

function names(fs: ChainFileSystem, directory: number, chunk: number): string[] {
  return listDirectory(fs, directory, chunk).map(({ name }) => name)
}

t.test('a listing shows every entry that stays, once, whatever comes and goes beside it', async (t) => {
  const { fs } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  for (let i = 0; i < 500; i++) await makeFile(fs, directory, `stays-${i}`)
  for (let i = 0; i < 500; i++) await makeFile(fs, directory, `goes-${i}`)
  const seen: string[] = []
  let cookie = 0
  for (let round = 0; ; round++) {
    let count = 0
    fs.readDirectory(directory, cookie, (name, _ino, _type, next) => {
      if (count >= 7) return false
      count++
      cookie = next
      seen.push(name)
      return true
    })
    if (count === 0) break
    if (round < 500) await fs.unlink(directory, nameOf(`goes-${round}`), USER)
    await makeFile(fs, directory, `comes-${round}`)
  }
  const stayed = seen.filter((name) => name.startsWith('stays'))
  t.equal(stayed.length, 500)
  t.equal(new Set(seen).size, seen.length)
})

t.test('a cookie stays good while its entry lives, also across a remount', async (t) => {
  const mounted = await openMemoryFs()
  const directory = await makeDirectory(mounted.fs, ROOT_INO, 'd')
  for (let i = 0; i < 300; i++) await makeFile(mounted.fs, directory, `f${i}`)
  const before = listDirectory(mounted.fs, directory)
  await mounted.fs.sync()
  const { fs } = await remountAfterCrash(mounted)
  t.same(listDirectory(fs, directory, 11), before)
  const middle = before[150]
  const rest: string[] = []
  fs.readDirectory(directory, middle?.cookie ?? 0, (name) => rest.push(name) > 0)
  t.same(
    rest,
    before.slice(151).map(({ name }) => name),
  )
})

t.test('removing what is listed as it comes leaves nothing', async (t) => {
  const { fs } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  for (let i = 0; i < 3000; i++) await makeFile(fs, directory, `f${i}`)
  let cookie = 0
  for (;;) {
    const some: string[] = []
    fs.readDirectory(directory, cookie, (name, _ino, _type, next) => {
      if (some.length >= 40) return false
      cookie = next
      if (name !== '.' && name !== '..') some.push(name)
      return true
    })
    if (some.length === 0) break
    for (const name of some) await fs.unlink(directory, nameOf(name), USER)
  }
  t.same(names(fs, directory, 100), [])
  await fs.removeDirectory(ROOT_INO, nameOf('d'), USER)
})

t.test('a listing costs no more per entry when the kernel asks in small pieces', async (t) => {
  const { fs, view } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  for (let i = 0; i < 20_000; i++) await makeFile(fs, directory, `f${i}`)
  let fetched = 0
  const range = view.range.bind(view)
  view.range = (...args) => {
    const items = range(...args)
    fetched += items.length
    return items
  }
  t.equal(names(fs, directory, 20).length, 20_000)
  t.ok(fetched < 22_000, `${fetched} records fetched`)
})

t.test('a damaged entry is left out and the others are served', async (t) => {
  const { fs, view, warnings } = await openMemoryFs()
  for (const name of ['a', 'b', 'c']) await makeFile(fs, ROOT_INO, name)
  const record = [...view.all()].find(({ kind }) => kind === KIND_ENTRY)
  if (record === undefined) return t.fail('there are entries')
  view.put(KIND_ENTRY, record.high, record.low, Uint8Array.of(1, 200))
  t.equal(names(fs, ROOT_INO, 10).length, 2)
  t.equal(warnings.length, 1)
})

t.test('names are refused before they are looked for', async (t) => {
  const { fs } = await openMemoryFs()
  t.throws(() => fs.lookup(ROOT_INO, nameOf('x'.repeat(256))), { code: 'NAME_TOO_LONG' })
  t.throws(() => fs.makeNode(ROOT_INO, nameOf('a/b'), node, USER), { code: 'INVALID' })
  t.throws(() => fs.makeNode(ROOT_INO, nameOf('..'), node, USER), { code: 'INVALID' })
})
