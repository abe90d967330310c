/**
 * The model test: random sequences of operations on a file system and on a plain directory side by side. The seed is
 * fixed; ATEFS_FUZZ_RUNS and ATEFS_FUZZ_SEED make a long run (`npm run fuzz`). A sequence that fails is shrunk and written to
 * test/fuzz/cases, and every case there is replayed.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import tap, { type Test } from 'tap'
import type { Capability, Lacks } from '../../contract/file-system/contract.js'
import { plainDirectory } from '../posix/plain-directory.js'
import { progressOf } from '../progress.js'
import { firstDifference, type ModelSubject } from './compare.js'
import { inUtf8, needOf, operations, type Operation } from './operations.js'

const CASES = fileURLToPath(new URL('../../fuzz/cases/', import.meta.url))
const SEED = 20_250_101
const MAX_OPERATIONS = 120

export interface ModelOptions {
  subject: ModelSubject
  lacks: Lacks
  /** Sequences in an ordinary test run. */
  runs: number
}

export async function runModel(t: Test, { subject, lacks, runs }: ModelOptions): Promise<void> {
  // A long run takes as long as it was asked to.
  if (process.env['ATEFS_FUZZ_RUNS'] !== undefined) tap.setTimeout(0)
  const oracle = await plainDirectory(t)
  let count = 0
  const compare = (sequence: readonly Operation[]): Promise<string | undefined> => {
    const served = lacks['names that are not UTF-8'] === undefined ? sequence : sequence.map(inUtf8)
    return firstDifference(oracle.client, subject, `run${++count}`, served)
  }
  const isLacking = (capability: Capability): boolean =>
    lacks[capability] !== undefined || oracle.lacks[capability] !== undefined

  await t.test('sequences that failed once', async (t) => {
    for (const { name, sequence } of readCases()) {
      const isServed = sequence.every((operation) => {
        const need = needOf(operation)
        return need === undefined || !isLacking(need)
      })
      if (isServed) t.equal(await compare(sequence), undefined, name)
    }
  })

  await t.test('random sequences', async (t) => {
    const numRuns = Number(process.env['ATEFS_FUZZ_RUNS'] ?? runs)
    const step = progressOf('random sequences', numRuns)
    const property = fc.asyncProperty(operations(isLacking, MAX_OPERATIONS), async (sequence) => {
      const difference = await compare(sequence)
      step()
      if (difference !== undefined) throw new Error(difference)
    })
    const seed = Number(process.env['ATEFS_FUZZ_SEED'] ?? SEED)
    const result = await fc.check(property, { numRuns, seed })
    if (result.counterexample === null) return t.pass(`${numRuns} sequences from seed ${seed}`)
    const [sequence] = result.counterexample
    const file = writeCase(sequence)
    return t.fail(`${result.errorInstance instanceof Error ? result.errorInstance.message : 'failed'} (${file})`)
  })
}

interface Case {
  name: string
  sequence: Operation[]
}

function readCases(): Case[] {
  const files = readdirSync(CASES).filter((name) => name.endsWith('.json'))
  return files.map((name) => {
    const sequence: unknown = JSON.parse(readFileSync(CASES + name, 'utf8'))
    if (!Array.isArray(sequence)) throw new Error(`${name} is no sequence of operations`)
    return { name, sequence: sequence as Operation[] }
  })
}

function writeCase(sequence: readonly Operation[]): string {
  const text = `[\n${sequence.map((operation) => `  ${JSON.stringify(operation)}`).join(',\n')}\n]\n`
  const name = `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`
  writeFileSync(CASES + name, text)
  return `test/fuzz/cases/${name}`
}
