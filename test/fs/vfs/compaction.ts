/** A file system whose chain is compacted between whatever happens to its files reads as before, to the byte. */
import t from 'tap'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { checkFileSystem } from '../../../src/fs/vfs/check/check.js'
import { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import { findReferences } from '../../../src/fs/vfs/records/references.js'
import { FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, ROOT_INO, type Ino } from '../../../src/fs/vfs/types.js'
import { keys } from '../../helpers/log-workbench.js'
import { KEEP_PRIVILEGES, makeFile, NAME_KEY, nameOf, readAll, USER } from '../../helpers/open-memory-fs.js'
import { seededRandom } from '../../helpers/seeded-random.js'

interface World {
  chain: MemoryChain
  fs: ChainFileSystem
}

async function open(storage: MemoryStorage, store: MemoryStore): Promise<World> {
  const chain = await openMemoryChain({
    crypto: nativeCrypto,
    keys,
    storage,
    store,
    findReferences,
    segmentBytes: 200_000,
  })
  const fs = await openFileSystem({
    view: chain.view,
    options: { nameKey: NAME_KEY, onWarning: (message) => t.fail(message) },
  })
  return { chain, fs }
}

await t.test('small files that are left of bodies move together, and nobody sees it', async (t) => {
  const storage = new MemoryStorage()
  const store = new MemoryStore()
  let { chain, fs } = await open(storage, store)
  const contents = new Map<string, Buffer>()
  for (let body = 0; body < 10; body++) {
    for (let i = 0; i < 20; i++) {
      const content = Buffer.alloc(600, `${body} ${i} `)
      const ino = await makeFile(fs, ROOT_INO, `${body} ${i}`, String(content))
      // One has records for its content, the others have it in their inodes.
      if (i === 1) await fs.write(ino, 70_000, Buffer.from('far away'), KEEP_PRIVILEGES)
      contents.set(
        `${body} ${i}`,
        i === 1 ? Buffer.concat([content, Buffer.alloc(69_400), Buffer.from('far away')]) : content,
      )
    }
    await fs.sync()
  }
  const reopen = async (): Promise<void> => {
    await fs.close()
    await chain.close()
    ;({ chain, fs } = await open(storage, store))
  }
  const seen = async (): Promise<unknown[]> => {
    const all: unknown[] = []
    for (const [name, content] of contents) {
      const found = fs.lookup(ROOT_INO, nameOf(name))
      if (found === undefined || !content.equals(await readAll(fs, found.ino))) t.fail(name)
      const { ino, size, blocks, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec } = found ?? {}
      all.push({ name, ino, size, blocks, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec })
    }
    return all
  }
  for (const name of [...contents.keys()].filter((name) => !/ [01]$/.test(name))) {
    await fs.unlink(ROOT_INO, nameOf(name), USER)
    contents.delete(name)
  }
  await reopen()
  const before = await seen()
  const kept = fs.lookup(ROOT_INO, nameOf('3 0'))?.ino ?? 0
  // Changed in memory while its content moves.
  const compacted = chain.view.compact()
  await fs.write(kept, 100, Buffer.from('changed'), KEEP_PRIVILEGES)
  contents.get('3 0')?.write('changed', 100)
  t.equal((await compacted).bodies, 10)
  const [changed] = before.splice([...contents.keys()].indexOf('3 0'), 1)
  const after = await seen()
  t.not(changed, undefined)
  t.same(
    after.filter((one) => (one as { name: string }).name !== '3 0'),
    before,
  )
  await reopen()
  t.same(
    (await seen()).filter((one) => (one as { name: string }).name !== '3 0'),
    before,
    'after a remount',
  )
  t.equal((await chain.view.compact()).bodies, 0, 'nothing is left to move')
  for await (const { message } of checkFileSystem({ view: chain.view, nameKey: NAME_KEY })) t.fail(message)
  await fs.close()
  await chain.close()
})

for (const seed of [1, 2, 3]) {
  await t.test(`files written, cut, punched and removed between compactions read as before (${seed})`, async (t) => {
    const random = seededRandom(seed)
    const pick = (count: number): number => Math.floor(random() * count)
    const storage = new MemoryStorage()
    let store = new MemoryStore()
    let { chain, fs } = await open(storage, store)
    const files = new Map<string, Buffer>()
    const inoOf = (name: string): Ino => fs.lookup(ROOT_INO, nameOf(name))?.ino ?? 0
    let dropped = 0
    const isRight = async (): Promise<boolean> => {
      for (const [name, content] of files) if (!content.equals(await readAll(fs, inoOf(name)))) return false
      return true
    }
    for (let step = 0; step < 300; step++) {
      const name = `file ${pick(12)}`
      const old = files.get(name)
      const action = random()
      if (old === undefined) {
        await makeFile(fs, ROOT_INO, name)
        files.set(name, Buffer.alloc(0))
      } else if (action < 0.4) {
        const offset = pick(old.length + 1000)
        const data = Buffer.alloc(1 + pick(pick(5) === 0 ? 300_000 : 9000), 1 + pick(255))
        await fs.write(inoOf(name), offset, data, KEEP_PRIVILEGES)
        const grown = Buffer.alloc(Math.max(old.length, offset + data.length))
        old.copy(grown)
        data.copy(grown, offset)
        files.set(name, grown)
      } else if (action < 0.5) {
        const size = pick(old.length + 5000)
        await fs.setAttributes(inoOf(name), { size }, USER)
        const cut = Buffer.alloc(size)
        old.copy(cut)
        files.set(name, cut)
      } else if (action < 0.55 && old.length > 10) {
        const from = pick(old.length - 5)
        const length = 1 + pick(old.length - from - 1)
        await fs.allocate(inoOf(name), FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, from, length)
        files.set(name, Buffer.from(old).fill(0, from, from + length))
      } else if (action < 0.7) {
        await fs.unlink(ROOT_INO, nameOf(name), USER)
        files.delete(name)
      } else if (action < 0.8) await fs.sync()
      else if (action < 0.93) {
        const compacted = chain.view.compact()
        if (pick(2) === 0) await fs.sync()
        dropped += (await compacted).bodies
        if (!(await isRight())) return t.fail(`step ${step}: after a compaction`)
      } else {
        await fs.close()
        await chain.close()
        if (pick(2) === 0) store = new MemoryStore()
        ;({ chain, fs } = await open(storage, store))
        if (!(await isRight())) return t.fail(`step ${step}: after a remount`)
      }
    }
    await fs.sync()
    await chain.view.compact()
    t.ok(await isRight())
    for await (const { message } of checkFileSystem({ view: chain.view, nameKey: NAME_KEY })) t.fail(message)
    t.ok(dropped > 30, `${dropped} bodies were dropped`)
    await fs.close()
    await chain.close()
  })
}

await t.test('names and attributes that are gone leave the log, and the rest is as it was', async (t) => {
  const storage = new MemoryStorage()
  const store = new MemoryStore()
  let { chain, fs } = await open(storage, store)
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 300; i++) await makeFile(fs, ROOT_INO, `a name of some length, ${round} ${i}`, '')
    await fs.sync()
    for (let i = 0; i < 300; i++)
      if (i > 3) await fs.unlink(ROOT_INO, nameOf(`a name of some length, ${round} ${i}`), USER)
    await fs.sync()
  }
  const seen = (): unknown[] => {
    const all: unknown[] = []
    for (let round = 0; round < 12; round++)
      for (let i = 0; i < 6; i++) {
        const { ino, mtimeNsec, ctimeNsec, mode } =
          fs.lookup(ROOT_INO, nameOf(`a name of some length, ${round} ${i}`)) ?? {}
        all.push({ ino, mtimeNsec, ctimeNsec, mode })
      }
    return all
  }
  const before = seen()
  const { freedBytes } = await chain.view.compact()
  t.ok(freedBytes > 300_000, `${freedBytes} bytes`)
  t.same(seen(), before)
  for (const index of [store, new MemoryStore()]) {
    await fs.close()
    await chain.close()
    ;({ chain, fs } = await open(storage, index))
    t.same(seen(), before)
  }
  for await (const finding of checkFileSystem({ view: chain.view, nameKey: NAME_KEY })) t.fail(finding.message)
  await fs.close()
  await chain.close()
})
