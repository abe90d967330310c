/** Opening a chain: how far it is, and how it is given up. */
import { readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AteConfig, ChainBuilder, type OpenProgress } from '../../src/index.js'
import { type DiskChains, diskChains, filesOf, store, texts } from '../helpers/disk-chains.js'

const NOTES = Array.from({ length: 20 }, (_, i) => `note ${i}`).sort()

/** A chain whose index is gone: opening it reads the whole log. */
async function unindexed(t: Test): Promise<DiskChains & { directory: string }> {
  const disk = diskChains(t)
  const chain = await disk.open()
  for (const text of NOTES) await store(chain, text)
  await chain.close()
  const directory = join(disk.root, 'logs', 'notes')
  rmSync(join(directory, 'index'), { recursive: true })
  return { ...disk, directory }
}

/** Files of the chain that this process has open once the thread has ended that had the index. */
async function openFiles(directory: string): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const files = readdirSync('/proc/self/fd')
      .map(targetOf)
      .filter((path) => path.startsWith(directory) && !path.endsWith('(deleted)'))
    if (files.length === 0 || tries === 200) return files
    await sleep(10)
  }
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

function threads(): number {
  return readdirSync('/proc/self/task').length
}

await t.test(
  'opening tells how far it is, to the last byte of the log; one that reads nothing says nothing',
  async (t) => {
    const { config } = await unindexed(t)
    const told: OpenProgress[] = []
    const open = (readOnly: boolean): Promise<AsyncDisposable> =>
      new ChainBuilder(config.with({ readOnly })).open('notes', { onProgress: (progress) => told.push(progress) })
    for (const readOnly of [true, false]) {
      told.length = 0
      await (await open(readOnly))[Symbol.asyncDispose]()
      const last = told.at(-1)
      t.equal(last?.phase, 'reading the log')
      t.ok(last !== undefined && last.totalBytes > 0 && last.doneBytes === last.totalBytes, 'all of it')
      const done = told.map(({ doneBytes }) => doneBytes)
      t.strictSame(
        done,
        done.toSorted((a, b) => a - b),
        'forward only',
      )
    }
    told.length = 0
    await (await open(false))[Symbol.asyncDispose]()
    t.strictSame(told, [], 'the index has it all')
  },
)

await t.test('an opening that is given up leaves nothing open and the log as it was', async (t) => {
  const { config, directory, open } = await unindexed(t)
  const before = filesOf(directory)
  const threadsBefore = threads()
  for (const readOnly of [true, false]) {
    const end = new AbortController()
    const opening = new ChainBuilder(config.with({ readOnly })).open('notes', { signal: end.signal })
    // Before the first batch is read: the other thread is only being started.
    setImmediate(() => end.abort())
    await t.rejects(opening, { code: 'ABORTED' })
    t.strictSame(await openFiles(directory), [], 'no file is open')
    t.strictSame(filesOf(directory), before, 'what is on the disk is as it was')
  }
  for (let tries = 0; threads() > threadsBefore && tries < 200; tries++) await sleep(10)
  t.ok(threads() <= threadsBefore, 'the thread has ended')
  const told: OpenProgress[] = []
  const chain = await new ChainBuilder(config).open('notes', { onProgress: (progress) => told.push(progress) })
  t.not(told.length, 0, 'it was given up before the log was read')
  t.strictSame(await texts(chain), NOTES)
  await store(chain, 'one more')
  await chain.close()
  await using again = await open()
  t.equal((await texts(again)).length, NOTES.length + 1, 'it goes on')
})

await t.test('an opening is given up between two batches', async (t) => {
  const { config, directory } = await unindexed(t)
  const end = new AbortController()
  const told: OpenProgress[] = []
  const onProgress = (progress: OpenProgress): void => {
    told.push(progress)
    end.abort('enough')
  }
  const opening = new ChainBuilder(config.with({ readOnly: true })).open('notes', { signal: end.signal, onProgress })
  await t.rejects(opening, { code: 'ABORTED', cause: 'enough' })
  t.equal(told.length, 1)
  t.ok(
    told.every(({ doneBytes, totalBytes }) => doneBytes < totalBytes),
    'most of the log is unread',
  )
  t.strictSame(await openFiles(directory), [])
})

await t.test('whoever has given up already opens and makes nothing', async (t) => {
  const { root, config } = diskChains(t)
  const signal = AbortSignal.abort()
  await t.rejects(new ChainBuilder(config).open('notes', { signal }), { code: 'ABORTED' })
  t.strictSame(readdirSync(root), [])
  await t.rejects(new ChainBuilder(AteConfig.default()).open('notes', { signal }), { code: 'ABORTED' }, 'in memory')
})

await t.test('a plugin that takes long is not waited for by who gives up, on disk and in memory', async (t) => {
  const { config, directory, open } = await unindexed(t)
  for (const place of [config, AteConfig.default()]) {
    const end = new AbortController()
    const slow = {
      name: 'slow',
      open: (): Promise<void> => {
        setImmediate(() => end.abort())
        return new Promise(() => undefined)
      },
    }
    const opening = new ChainBuilder(place).use(slow).open('notes', { signal: end.signal })
    await t.rejects(opening, { code: 'ABORTED' })
    t.strictSame(await openFiles(directory), [], 'the chain is closed')
  }
  await using chain = await open()
  t.strictSame(await texts(chain), NOTES)
})
