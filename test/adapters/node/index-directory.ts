/** What becomes of the index of a chain when it is behind, broken or read by several, seen from who opens the chain. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ChainHandle } from '../../../src/adapters/node/chain-handle.js'
import { createChain, openChain } from '../../../src/adapters/node/open-chain.js'
import { KIND, optionsIn, put } from '../../helpers/record-chain.js'

interface Sample {
  /** The index, and a copy of it from before the last records. */
  index: string
  older: string
  notices: string[]
  open: (readOnly: boolean) => Promise<ChainHandle>
}

const original = mkdtempSync(join(tmpdir(), 'atefs-index-'))
t.teardown(() => rmSync(original, { recursive: true }))

/** 3,000 records, the last third of them not in the older index. */
async function makeOriginal(): Promise<void> {
  const options = optionsIn(original, [])
  const first = await createChain({ ...options, keyBits: 256 })
  await put(first, 0, 2000)
  await first.close()
  cpSync(join(original, 'chain', 'index'), join(original, 'older'), { recursive: true })
  const second = await openChain(options)
  await put(second, 2000, 3000)
  await second.close()
}

await makeOriginal()

function sample(t: Test): Sample {
  const base = mkdtempSync(join(tmpdir(), 'atefs-index-'))
  t.teardown(() => rmSync(base, { recursive: true }))
  cpSync(original, base, { recursive: true })
  const notices: string[] = []
  const open = (readOnly: boolean): Promise<ChainHandle> => openChain({ ...optionsIn(base, notices), readOnly })
  return { index: join(base, 'chain', 'index'), older: join(base, 'older'), notices, open }
}

function isComplete({ view }: ChainHandle): boolean {
  const items = view.range(KIND, 1, 0, 10_000, 10_000)
  return items.length === 3000 && items.every(({ low, value }, i) => low === i && value[0] === (i & 0xff))
}

const dataOf = (index: string): Buffer => readFileSync(join(index, 'data.mdb'))

await t.test('readers at the same time leave an index that is behind as it is', async (t) => {
  const { index, older, open, notices } = sample(t)
  rmSync(index, { recursive: true })
  cpSync(older, index, { recursive: true })
  const before = dataOf(index)
  const readers = await Promise.all([open(true), open(true), open(true)])
  t.strictSame(readers.map(isComplete), [true, true, true])
  for (const reader of readers) await reader.close()
  t.ok(dataOf(index).equals(before), 'not a byte is written')
  t.same(notices, [])
  const writer = await open(false)
  t.ok(isComplete(writer))
  await writer.close()
  t.notOk(dataOf(index).equals(before), 'a writer brings it up to date')
})

await t.test('a reader does without an index, and makes none', async (t) => {
  const { index, open, notices } = sample(t)
  rmSync(index, { recursive: true })
  const reader = await open(true)
  t.ok(isComplete(reader))
  await reader.close()
  t.notOk(existsSync(index))
  t.match(notices, [/in memory/])
})

const DAMAGES: Record<string, (file: string) => void> = {
  'is no file of LMDB': (file) => writeFileSync(file, Buffer.alloc(20_000, 7)),
  'was cut off': (file) => truncateSync(file, dataOf(join(file, '..')).length / 2),
  'lost all but its first page': (file) => truncateSync(file, 5000),
  'became empty': (file) => truncateSync(file, 0),
}

for (const [title, damage] of Object.entries(DAMAGES)) {
  await t.test(`an index that ${title} is rebuilt by a writer, and not needed by a reader`, async (t) => {
    const { index, open, notices } = sample(t)
    damage(join(index, 'data.mdb'))
    for (const readOnly of [true, false, true]) {
      const chain = await open(readOnly)
      t.ok(isComplete(chain), readOnly ? 'reading' : 'writing')
      await chain.close()
    }
    t.match(notices[0], /in memory/)
    t.notOk(
      notices.some((notice, i) => i > 0 && notice.includes('in memory')),
      'the index is whole again',
    )
  })
}
