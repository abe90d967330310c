/** A thread that answers requests in their order: what takes long there keeps nobody waiting here. */
import { Worker } from 'node:worker_threads'
import { AteError } from '../engine/error.js'

interface Waiting<Answer> {
  resolve: (answer: Answer) => void
  reject: (error: AteError) => void
}

export class AnsweringThread<Request, Answer> {
  readonly #worker: Worker
  readonly #waiting: Waiting<Answer>[] = []
  #failure: AteError | undefined

  /** `module` answers each message with one. `onFailure`: the thread has died. */
  constructor(module: string, workerData: unknown, onFailure: (error: AteError) => void) {
    this.#worker = new Worker(new URL(module, import.meta.url), { workerData })
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.resolve(answer))
    const fail = (cause: unknown): void => {
      if (this.#failure === undefined) onFailure(this.#end(`The thread ${module} has ended.`, cause))
    }
    this.#worker.on('error', fail)
    this.#worker.on('exit', () => fail(undefined))
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** ABORTED after `close`. */
  ask(request: Request): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  async close(): Promise<void> {
    if (this.#failure === undefined) this.#end('The server is stopping.', undefined)
    await this.#worker.terminate()
  }

  #end(message: string, cause: unknown): AteError {
    const error = new AteError('ABORTED', message, { cause })
    this.#failure = error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    return error
  }
}
