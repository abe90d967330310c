/** What a check tells while it runs: how far it is, a few times a second however many batches and files there are. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { OpenProgress } from '../../src/adapters/node/chain-handle.js'
import { createChain } from '../../src/adapters/node/open-chain.js'
import { checkChain, type ChainFinding, type CheckedChain } from '../../src/cli/check-chain.js'
import { openFileSystem } from '../../src/fs/vfs/open.js'
import { ROOT_INO } from '../../src/fs/vfs/types.js'
import { makeFile } from '../helpers/open-memory-fs.js'
import { optionsIn } from '../helpers/record-chain.js'

const BATCHES = 400
/** Of `paced`, with room for a clock that stands still. */
const INTERVAL_MS = 150

const base = mkdtempSync(join(tmpdir(), 'atefs-check-'))
process.once('exit', () => rmSync(base, { recursive: true }))

interface Checking {
  progress: OpenProgress[]
  findings: ChainFinding[]
  checked: CheckedChain
  ms: number
}

async function check(directory: string): Promise<Checking> {
  const progress: OpenProgress[] = []
  const findings: ChainFinding[] = []
  const startedAtMs = performance.now()
  const steps = checkChain({
    directory,
    anchorDirectory: join(base, 'anchors'),
    runtimeDirectory: join(base, 'runtime'),
    secret: { kind: 'key-file' },
    onProgress: (now) => progress.push(now),
    onNotice: () => undefined,
  })
  let step = await steps.next()
  for (; step.done !== true; step = await steps.next()) findings.push(step.value)
  return { progress, findings, checked: step.value, ms: performance.now() - startedAtMs }
}

/** A chain of many small batches, and a copy of it as a crash would leave it: its last segment is not closed. */
async function makeChains(): Promise<{ closed: string; open: string }> {
  const options = optionsIn(base, [])
  const open = join(base, 'open')
  const chain = await createChain({ ...options, keyBits: 256 })
  const fs = await openFileSystem({
    view: chain.view,
    options: { nameKey: chain.keys.nameKey, onWarning: () => undefined },
  })
  for (let number = 1; number < BATCHES; number++) {
    await makeFile(fs, ROOT_INO, `file ${number}`, 'content')
    await fs.sync()
  }
  cpSync(options.directory, open, { recursive: true })
  await chain.close()
  return { closed: options.directory, open }
}

const chains = await makeChains()

for (const [title, directory] of Object.entries(chains)) {
  t.test(`a check of many batches tells a few times how far it is: a log whose end is ${title}`, async (t) => {
    const { progress, findings, checked, ms } = await check(directory)
    t.same(findings, [])
    t.ok(checked.batches >= BATCHES, `${checked.batches} batches`)
    t.ok(checked.logBytes > BATCHES * 500, 'what was verified is counted all the same')
    for (const phase of ['verifying the log', 'checking files']) {
      const reports = progress.filter((now) => now.phase === phase)
      t.ok(reports.length > 0, `${phase}: there are reports`)
      t.ok(reports.length <= 2 + ms / INTERVAL_MS, `${phase}: ${reports.length} reports in ${Math.round(ms)} ms`)
      const done = reports.map(({ doneBytes }) => doneBytes)
      t.same(
        done,
        done.toSorted((a, b) => a - b),
        'it only grows',
      )
      t.ok(reports.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes))
    }
    const [first] = progress.filter(({ phase }) => phase === 'verifying the log')
    t.ok((first?.doneBytes ?? 0) < (first?.totalBytes ?? 0) / 10, 'the first batch is not the whole log')
  })
}
