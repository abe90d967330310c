/** The line of progress, on a terminal that only remembers what was written to it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { WriteStream } from 'node:tty'
import t from 'tap'
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { progressText, terminalProgress } from '../../src/cli/progress.js'
import { ChainWriter } from '../../src/engine/chain/chain-writer.js'
import { openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import { MemoryStore } from '../../src/engine/index/memory-store.js'

/** Longer than what counts as quick work. */
const LONG_MS = 750

interface Screen {
  stream: WriteStream
  written: string[]
}

/** `isTTY` false: output that was redirected. */
function screen({ isTTY = true, columns = 80 } = {}): Screen {
  const written: string[] = []
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 }
  return { stream: stream as unknown as WriteStream, written }
}

t.test('quick work is silent, and there is nothing to clear', (t) => {
  const { stream, written } = screen()
  const progress = terminalProgress(stream)
  progress.show('reading the log: 40 %')
  progress.clear()
  t.same(written, [])
  t.end()
})

t.test('long work draws over its own line and erases it once', async (t) => {
  const { stream, written } = screen({ columns: 12 })
  const progress = terminalProgress(stream)
  await sleep(LONG_MS)
  progress.show('1234567890')
  progress.show('a line longer than the terminal')
  progress.clear()
  progress.clear()
  t.same(written, ['\r1234567890\x1b[K', '\ra line long\x1b[K', '\r\x1b[K'])
})

t.test('where the output is no terminal nothing is drawn', async (t) => {
  const { stream, written } = screen({ isTTY: false })
  const progress = terminalProgress(stream)
  await sleep(LONG_MS)
  progress.show('reading the log: 40 %')
  progress.clear()
  t.same(written, [])
})

t.test('what is shown is what is done, in percent of what is to do', (t) => {
  const text = (doneBytes: number, totalBytes: number): string =>
    progressText({ phase: 'reading the log', doneBytes, totalBytes })
  t.equal(text(0, 0), 'reading the log')
  t.equal(text(0, 300), 'reading the log: 0 %')
  t.equal(text(299, 300), 'reading the log: 99 %')
  t.equal(text(301, 300), 'reading the log: 100 %', 'never more')
  t.end()
})

t.test('opening a chain without its index draws how far it is', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  for (let i = 0; i < 20; i++) {
    chain.view.put(20, 1, i, new Uint8Array(10_000))
    await chain.view.commit()
  }
  await chain.close()
  const { stream, written } = screen()
  const progress = terminalProgress(stream)
  await sleep(LONG_MS)
  const writer = await ChainWriter.open({
    ...chain,
    crypto: nativeCrypto,
    store: new MemoryStore(),
    clock: Date.now,
    readOnly: true,
    onProgress: (doneBytes, totalBytes) =>
      progress.show(progressText({ phase: 'reading the log', doneBytes, totalBytes })),
  })
  progress.clear()
  await writer.close()
  t.equal(written.pop(), '\r\x1b[K')
  const percent = written.map((text) => Number(/^\rreading the log: (\d+) %\x1b\[K$/.exec(text)?.[1]))
  t.ok(percent.length > 3 && percent.every((each, i) => each >= (percent[i - 1] ?? 0)), percent.join())
  t.equal(percent.at(-1), 100)
})
