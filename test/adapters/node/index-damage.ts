/** Pages of an index that became something else while nobody had it open: no mount may end or fail by that, nor be wrong. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { ChainHandle } from '../../../src/adapters/node/chain-handle.js'
import { markIndexBroken } from '../../../src/adapters/node/index-directory.js'
import { LmdbStore } from '../../../src/adapters/node/lmdb-store.js'
import { createChain, openChain } from '../../../src/adapters/node/open-chain.js'
import { KIND, optionsIn, put } from '../../helpers/record-chain.js'
import type { StoreChange } from '../../../src/engine/index/ordered-store.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const RECORDS = 160
const PAGE_BYTES = 4096
const META_PAGES = 2

const base = mkdtempSync(join(tmpdir(), 'atefs-damage-'))
t.teardown(() => rmSync(base, { recursive: true }))
const index = join(base, 'chain', 'index')
const dataFile = join(index, 'data.mdb')

function open(readOnly: boolean, notices: string[] = []): Promise<ChainHandle> {
  return openChain({ ...optionsIn(base, notices), readOnly })
}

function isComplete({ view }: ChainHandle): boolean {
  const items = view.range(KIND, 1, 0, 10_000, 10_000)
  return items.length === RECORDS && items.every(({ low, value }, i) => low === i && value[0] === (i & 0xff))
}

async function makeChain(): Promise<Buffer> {
  const first = await createChain({ ...optionsIn(base, []), keyBits: 256 })
  await put(first, 0, RECORDS / 2)
  await first.close()
  // Twice, so that there is a list of free pages.
  const second = await open(false)
  await put(second, 0, RECORDS)
  await second.close()
  return readFileSync(dataFile)
}

const whole = await makeChain()
const pages = whole.length / PAGE_BYTES

const DAMAGES: Record<string, (page: Buffer) => void> = {
  zeroed: (page) => page.fill(0),
  garbage: (page) => page.fill(0xa7),
  'with a bit flipped in its middle': (page) => void (page[2000] = (page[2000] ?? 0) ^ 1),
  'with a bit flipped in its header': (page) => void (page[20] = (page[20] ?? 0) ^ 4),
  'with a bit flipped at its end': (page) => void (page[PAGE_BYTES - 30] = (page[PAGE_BYTES - 30] ?? 0) ^ 1),
}

function damaged(number: number, damage: (page: Buffer) => void): Buffer {
  const bytes = Buffer.from(whole)
  damage(bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES))
  return bytes
}

for (const [title, damage] of Object.entries(DAMAGES)) {
  // A writer takes its time to start; to both, damaged pages are the same.
  const modes = title === 'zeroed' ? [true, false] : [true]
  await t.test(`each page of an index ${title}: what is mounted is right`, async (t) => {
    const wrong: string[] = []
    let rebuilt = 0
    for (let number = 0; number < pages; number++) {
      const bytes = damaged(number, damage)
      for (const readOnly of modes) {
        const notices: string[] = []
        writeFileSync(dataFile, bytes)
        const chain = await open(readOnly, notices)
        if (!isComplete(chain)) wrong.push(`page ${number}, ${readOnly ? 'reading' : 'writing'}`)
        if (!readOnly) await put(chain, 0, 1)
        await chain.close()
        if (notices.length > 0) rebuilt++
      }
    }
    t.strictSame(wrong, [])
    t.ok(rebuilt > 0, 'some of the pages matter')
  })
}

await t.test('an index marked as broken is rebuilt by a writer, and left alone by a reader', async (t) => {
  markIndexBroken(index)
  const notices: string[] = []
  for (const readOnly of [true, false, true]) {
    const chain = await open(readOnly, notices)
    t.ok(isComplete(chain))
    await chain.close()
    t.equal(existsSync(join(index, 'broken')), readOnly && notices.length === 1)
  }
  t.match(notices, [/in memory/, /rebuilt/])
  t.equal(notices.length, 2)
})

/** Hundreds of values, some in pages of their own, many of them deleted and written again. */
async function makeStore(directory: string): Promise<void> {
  const next = seededRandom(5)
  const below = (limit: number): number => Math.floor(next() * limit)
  const store = new LmdbStore(directory, { readOnly: false })
  for (let round = 0; round < 3; round++) {
    const changes: StoreChange[] = []
    for (let i = 0; i < 60; i++) {
      const key = new Uint8Array(13).fill(below(256), 0, 2)
      key[1] = below(3)
      changes.push({ key, value: below(4) === 0 ? null : new Uint8Array(1 + below(4500)).fill(i) })
    }
    store.write(changes)
  }
  await store.close()
}

/** As the verification of an index does after its pages: by LMDB, key by key. */
async function scan(directory: string): Promise<boolean> {
  const store = new LmdbStore(directory, { readOnly: true })
  try {
    const steps = store.checkMedium()
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    if (!step.value) return false
    let key = store.after(new Uint8Array(0))
    while (key !== undefined) key = store.get(key) === undefined ? undefined : store.after(key)
    return true
  } finally {
    await store.close()
  }
}

await t.test('damage that would end the process is seen before LMDB meets it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-pages-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  await makeStore(directory)
  t.ok(await scan(directory))
  const file = join(directory, 'data.mdb')
  const bytes = readFileSync(file)
  let found = 0
  for (let at = META_PAGES * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
    const copy = mkdtempSync(join(tmpdir(), 'atefs-pages-'))
    cpSync(directory, copy, { recursive: true })
    writeFileSync(join(copy, 'data.mdb'), Buffer.from(bytes).fill(0, at, at + PAGE_BYTES))
    if (!(await scan(copy))) found++
    rmSync(copy, { recursive: true })
  }
  t.ok(found > 30, `${found} pages`)
})
