/**
 * The thread that writes notifications. The write can block in the kernel until a request of ours is answered (INVAL_ENTRY and
 * DELETE take the lock of the directory, INVAL_INODE waits for a page being read). So it never happens on the event loop, which
 * answers, nor on the shared pool of threads, which the answer may need: one thread of its own writes them, in order.
 *
 * It has a descriptor of its own, which is closed when the thread is over: whatever it is in the middle of, it never writes to
 * a number that stands for another file by now. And a table of descriptors of its own, so that who uses the mount of a process that
 * is killed in such a moment is told of the end (`own-fuse-device.ts`).
 */
import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { duplicateDescriptor } from '../../../adapters/node/libc/duplicate-descriptor.js'

/** `unknown`: nothing of it is cached. `failed`: the kernel has no memory, or the thread died; it may be sent again. */
export type Outcome = 'taken' | 'unknown' | 'failed'

/** A thread in a write ends when the kernel lets go of the mount, which it does at once. */
const MAX_END_MS = 1000

interface Thread {
  worker: Worker
  waiting: ((outcome: Outcome) => void)[]
}

export class Notifier {
  readonly #fd: number
  readonly #onWarning: (message: string) => void
  #thread: Thread | undefined
  #isClosed = false

  /** `fd`: the mount's /dev/fuse. The thread is started by the first notification. */
  constructor(fd: number, onWarning: (message: string) => void) {
    this.#fd = fd
    this.#onWarning = onWarning
  }

  /** Resolves when the kernel has had it. After `close`: never. */
  send(bytes: Uint8Array): Promise<Outcome> {
    if (this.#isClosed) return new Promise(() => undefined)
    try {
      const { worker, waiting } = (this.#thread ??= this.#start())
      worker.postMessage(bytes)
      return new Promise((resolve) => waiting.push(resolve))
    } catch (error) {
      this.#warn(error)
      return Promise.resolve('failed')
    }
  }

  #start(): Thread {
    const fd = duplicateDescriptor(this.#fd)
    let worker: Worker
    try {
      worker = new Worker(new URL('./notify-worker.js', import.meta.url), { workerData: fd })
    } catch (error) {
      closeSync(fd)
      throw error
    }
    const thread: Thread = { worker, waiting: [] }
    let problem: unknown = 'it ended'
    worker.on('message', (outcome: Outcome) => thread.waiting.shift()?.(outcome))
    worker.on('error', (error) => (problem = error))
    worker.on('exit', () => {
      closeSync(fd)
      if (this.#isClosed) return
      this.#warn(problem)
      // The next one starts another thread.
      this.#thread = undefined
      for (const resolve of thread.waiting) resolve('failed')
    })
    return thread
  }

  #warn(problem: unknown): void {
    const why = problem instanceof Error ? problem.message : String(problem)
    this.#onWarning(`the thread that tells the kernel of changes made elsewhere: ${why}`)
  }

  /** From the call on nothing is begun. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#thread === undefined) return
    await Promise.race([this.#thread.worker.terminate(), sleep(MAX_END_MS, undefined, { ref: false })])
  }
}
