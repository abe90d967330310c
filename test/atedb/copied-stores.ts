/** A chain that is closed is copied to the backup path, and the copy is one that opens. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { CopiedStores } from '../../src/atedb/copied-stores.js'
import { copyChain } from '../../src/atedb/copy-chain.js'
import { Log } from '../../src/atedb/log.js'
import { ServerStores } from '../../src/adapters/node/server-stores.js'
import { ChainBuilder } from '../../src/index.js'
import { eventually } from '../helpers/remote-chains.js'
import { diskChains, store, texts } from '../helpers/disk-chains.js'

const NEVER = new AbortController().signal

t.test('each copy is a whole chain, and takes what is new', async (t) => {
  const disk = diskChains(t)
  const [from, to] = [join(disk.root, 'logs/notes'), join(disk.root, 'elsewhere/notes')]
  const chain = await disk.open()
  await store(chain, 'one')
  await chain.rotate()
  await store(chain, 'two')
  await chain.close()
  await copyChain(from, to, NEVER)
  t.same(segments(to), segments(from))
  const closed = statSync(join(to, '0000000001.seg')).mtimeMs
  const again = await disk.open()
  await store(again, 'three')
  await again.close()
  await copyChain(from, to, NEVER)
  t.equal(statSync(join(to, '0000000001.seg')).mtimeMs, closed, 'what was closed is not copied again')
  // The key of a chain without a passphrase is not the server's business.
  cpSync(join(from, 'key'), join(to, 'key'))
  disk.on(disk.elsewhere)
  const copy = await new ChainBuilder(disk.elsewhere).open('notes')
  t.same(await texts(copy), ['one', 'three', 'two'])
  await copy.close()
})

t.test('a copy that was interrupted is the one before it, and is completed', async (t) => {
  const disk = diskChains(t)
  const [from, to] = [join(disk.root, 'logs/notes'), join(disk.root, 'copies/notes')]
  const chain = await disk.open()
  await store(chain, 'one')
  await chain.close()
  await copyChain(from, to, NEVER)
  const before = readFileSync(join(to, 'manifest'))
  const more = await disk.open()
  await more.rotate()
  await store(more, 'two')
  await more.close()
  await t.rejects(copyChain(from, to, AbortSignal.abort()), { code: 'ABORTED' })
  t.same(readFileSync(join(to, 'manifest')), before)
  t.same(segments(to), ['0000000001.seg'], 'nothing that its manifest does not list')
  await copyChain(from, to, NEVER)
  t.same(segments(to), segments(from))
  const other = await disk.open(disk.config, 'other')
  await other.close()
  await t.rejects(copyChain(join(disk.root, 'logs/other'), to, NEVER), { code: 'OTHER_CHAIN' })
  rmSync(join(from, 'manifest'))
  await t.rejects(copyChain(from, to, NEVER), { code: 'NOT_A_CHAIN' })
})

t.test('a chain that was cut has others of the same numbers: they are copied anew', async (t) => {
  const disk = diskChains(t)
  const [from, to] = [join(disk.root, 'logs/notes'), join(disk.root, 'copies/notes')]
  const [early, was] = [join(disk.root, 'early'), join(disk.root, 'was')]
  const chain = await disk.open()
  await store(chain, 'one')
  await chain.rotate()
  await chain.close()
  cpSync(from, early, { recursive: true })
  const goOn = async (text: string): Promise<void> => {
    const again = await disk.open()
    await store(again, text)
    await again.rotate()
    await again.close()
  }
  await goOn('before')
  await copyChain(from, to, NEVER)
  cpSync(from, was, { recursive: true })
  rmSync(from, { recursive: true })
  rmSync(join(disk.root, 'state'), { recursive: true })
  cpSync(early, from, { recursive: true })
  await goOn('behind')
  t.same(segments(from), segments(was))
  await copyChain(from, to, NEVER)
  for (const name of segments(from)) t.same(readFileSync(join(to, name)), readFileSync(join(from, name)), name)
})

t.test('closing a chain of a server copies it; opening it anew does not wait for that', async (t) => {
  const disk = diskChains(t)
  const chain = await disk.open()
  await store(chain, 'one')
  await chain.close()
  const lines: string[] = []
  const log = new Log({ level: 'debug', format: 'json', write: (line) => lines.push(line) })
  const [from, to] = [join(disk.root, 'logs'), join(disk.root, 'copies')]
  const stores = new CopiedStores(new ServerStores(from), from, to, log)
  t.same(await stores.list(), ['notes'])
  t.equal(await stores.open('none'), undefined)
  await t.rejects(
    stores.create('notes/0000000001.seg.copy'),
    { code: 'BAD_ARGUMENT' },
    'what copying makes and renames',
  )
  const opened = await stores.open('notes')
  opened?.anchor.close()
  const again = await stores.open('notes')
  t.same(lines.length, 0, 'the copy was given up')
  again?.anchor.close()
  t.ok(await stores.look('notes'), 'looking at it gives no copy up')
  await stores.settled()
  t.match(lines, [/"copied"/])
  t.same(segments(join(to, 'notes')), ['0000000001.seg'])
})

t.test('a copy that was given up for who opens the chain is made while it is open', async (t) => {
  const disk = diskChains(t)
  const chain = await disk.open()
  await chain.close()
  const lines: string[] = []
  const log = new Log({ level: 'debug', format: 'json', write: (line) => lines.push(line) })
  const [from, to] = [join(disk.root, 'logs'), join(disk.root, 'copies')]
  const stores = new CopiedStores(new ServerStores(from), from, to, log, 20)
  const opened = await stores.open('notes')
  opened?.anchor.close()
  await stores.open('notes')
  const before = lines.length
  for (let i = 0; i < 100 && lines.length === before; i++) await sleep(20)
  t.match(lines.slice(before), [/"copied"/])
})

t.test('a chain that stays open is copied while it is written, with all that was durable before', async (t) => {
  const disk = diskChains(t)
  const lines: string[] = []
  const log = new Log({ level: 'debug', format: 'json', write: (line) => lines.push(line) })
  const [from, to] = [join(disk.root, 'logs'), join(disk.root, 'copies')]
  const stores = new CopiedStores(new ServerStores(from), from, to, log, 20)
  const chain = await disk.open()
  await store(chain, 'one')
  const opened = await stores.open('notes')
  opened?.anchor.write(new Uint8Array(8))
  opened?.anchor.write(new Uint8Array(8))
  const writing = (async () => {
    for (let i = 0; i < 50; i++) await store(chain, `more ${i}`)
  })()
  await eventually(() => lines.length > 0)
  await writing
  t.match(lines, [/"copied"/], 'once for all changes of that time')
  opened?.anchor.write(new Uint8Array(8))
  await eventually(() => lines.length > 1)
  cpSync(join(from, 'notes', 'key'), join(to, 'notes', 'key'))
  const found = await copiedTexts(disk, to)
  t.equal(found.length, 51)
  opened?.anchor.write(new Uint8Array(8))
  opened?.anchor.close()
  await stores.settled()
  await sleep(50)
  t.equal(lines.length, 3, 'when it is closed at once, and not again')
  await chain.close()
})

async function copiedTexts(disk: ReturnType<typeof diskChains>, logPath: string): Promise<string[]> {
  const copy = await new ChainBuilder(disk.elsewhere.with({ logPath })).open('notes')
  const found = await texts(copy)
  await copy.close()
  return found
}

function segments(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .sort()
}
