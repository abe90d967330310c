/** Starts `lock-holder.ts` and talks to it. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Test } from 'tap'
import type { LockRequest } from './lock-holder.js'

export class OtherProcess {
  readonly #child: ChildProcess

  constructor(t: Test) {
    // The loader for TypeScript is among the arguments that a forked process inherits.
    this.#child = fork(fileURLToPath(new URL('lock-holder.ts', import.meta.url)))
    t.teardown(() => this.kill())
  }

  /** The errno's name, null for success. */
  async ask(request: LockRequest): Promise<string | null> {
    this.#child.send(request)
    const [answer] = (await once(this.#child, 'message')) as [string | null]
    return answer
  }

  /** SIGKILL; resolves when the process is gone and its locks with it. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
