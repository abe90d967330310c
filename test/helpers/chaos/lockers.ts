/**
 * Programs on machines that take one lock in turn, whatever happens to their server, their daemons and their connections: who has it
 * counts the lines of a file, and appends the next number. Two that had it at the same time would append the same.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { compiledProgram } from '../compiled.js'

const RETRY_MS = 100
const END_MS = 20_000

export class LockContender {
  /** Numbers that were appended and synced. */
  readonly acknowledged: string[] = []
  readonly #path: string
  readonly #kind: 'flock' | 'fcntl' | 'ofd'
  readonly #program: string
  #child: ChildProcess | undefined
  #isOver = false
  readonly #ended: Promise<void>

  constructor(t: Test, path: string, kind: 'flock' | 'fcntl' | 'ofd') {
    this.#path = path
    this.#kind = kind
    this.#program = compiledProgram('locker')
    this.#ended = this.#run()
    t.teardown(() => this.#child?.kill('SIGKILL'))
  }

  /** What it began is done, or was waited for long enough. */
  async end(): Promise<void> {
    this.#isOver = true
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), END_MS)
    await this.#ended
    clearTimeout(late)
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#contend().catch(() => undefined)
      await sleep(RETRY_MS)
    }
  }

  /** Until the mount fails: then the file is opened again. */
  async #contend(): Promise<void> {
    const child = spawn('env', ['-i', this.#program, this.#path], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child = child
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const ask = async (question: string): Promise<string> => {
      if (question !== '') child.stdin.write(`${question}\n`)
      const answer: IteratorResult<string, undefined> = await lines.next()
      if (answer.done === true) throw new Error('the program has ended')
      return answer.value
    }
    const demand = async (question: string): Promise<void> => {
      const answer = await ask(question)
      if (answer !== 'ok') throw new Error(answer)
    }
    child.stdin.on('error', () => undefined)
    try {
      await ask('')
      while (!this.#isOver) {
        await demand(`wait ${this.#kind} 0 0`)
        const before = (await ask('read')).split(' ').filter((line) => line !== '')
        // An error instead of the content.
        if (before.some((line) => !/^\d+$/.test(line))) throw new Error(before.join(' '))
        const next = String(before.length + 1)
        await demand(`append ${next}`)
        await demand('sync')
        this.acknowledged.push(next)
        await demand(`unlock ${this.#kind} 0 0`)
      }
    } finally {
      child.kill('SIGKILL')
    }
  }
}
