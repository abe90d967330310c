/** One crash: writers at work on a mount, SIGKILL to its daemon, a remount, and a look at what is there. */
import { once } from 'node:events'
import { join } from 'node:path'
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { compiledProgram } from '../compiled.js'
import { killGroup } from '../program.js'
import type { Vault } from '../vault.js'
import { isUnanswered, readOperations, type Operation } from './operation-log.js'
import { checkOrder, comparableDump, findPrefix } from './prefix.js'

const LOG_LINE_BYTES = 70
/** A writer notices at once that its file system has gone. */
const WRITER_END_LIMIT_MS = 30_000

/** A directory that one process changes, and what is known to have happened there. */
export interface Writer {
  name: string
  log: string
  settled: Operation[]
  nextSequence: number
}

export interface Round {
  answered: number
  lost: number
}

/** Makes the writers' directories and makes them durable. */
export async function makeWriters(vault: Vault, count: number): Promise<Writer[]> {
  const names = Array.from({ length: count }, (_, i) => `w${i}`)
  await vault.run('mkdir', names)
  await vault.remount()
  return names.map((name) => ({ name, log: join(vault.base, 'tmp', `${name}.log`), settled: [], nextSequence: 1 }))
}

/** Lets the writers make about `changes` changes before the crash. */
export async function crashRound(vault: Vault, writers: Writer[], seed: number, changes: number): Promise<Round> {
  const program = compiledProgram('crash-writer')
  const processes = writers.map(({ name, log, nextSequence }, i) =>
    vault.start(program, ['write', String(seed * 16 + i), String(nextSequence), log], {
      directory: join(vault.mountpoint, name),
    }),
  )
  const timer = setTimeout(() => processes.forEach(killGroup), WRITER_END_LIMIT_MS)
  const ends = Promise.all(processes.map((process) => once(process, 'exit')))
  const goal = totalLogBytes(writers) + changes * LOG_LINE_BYTES
  while (totalLogBytes(writers) < goal && processes.every(({ exitCode }) => exitCode === null)) await sleep(2)
  await vault.crash()
  const codes = (await ends).map(([code]) => code as number | null)
  clearTimeout(timer)
  if (codes.some((code) => code !== 0)) throw new Error(`a writer ended with ${codes.join(', ')}`)
  await vault.mount()
  return judge(vault, writers, program)
}

function totalLogBytes(writers: readonly Writer[]): number {
  return writers.reduce((sum, { log }) => sum + (statSync(log, { throwIfNoEntry: false })?.size ?? 0), 0)
}

async function judge(vault: Vault, writers: Writer[], program: string): Promise<Round> {
  const judged = []
  for (const writer of writers) {
    const operations = [...writer.settled, ...readOperations(writer.log, writer.nextSequence)]
    const dump = await vault.run(program, ['dump'], { directory: join(vault.mountpoint, writer.name) })
    const survived = findPrefix(operations, comparableDump(dump), writer.settled.length)
    judged.push({ writer, operations, survived })
  }
  checkOrder(judged)
  let answered = 0
  let lost = 0
  for (const { writer, operations, survived } of judged) {
    answered += operations.length - writer.settled.length
    lost += operations.slice(survived.most).filter((operation) => !isUnanswered(operation)).length
    writer.nextSequence = (operations.at(-1)?.sequence ?? 0) + 1
    // What was not answered is known now: it happened if it is among what survived.
    writer.settled = operations.slice(0, survived.least).map((o) => (isUnanswered(o) ? { ...o, errno: 0 } : o))
  }
  return { answered, lost }
}
