/** Signs with the server's identity key in a thread of its own: one signature takes some 9 ms, and others must not wait. */
import { Worker } from 'node:worker_threads'
import { signingKeyFromSeed, wipeSigningKey } from '../engine/crypto/signature.js'
import type { SignatureSuite } from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'
import type { Signer } from '../wire/index.js'

interface Waiting {
  resolve: (signature: Uint8Array) => void
  reject: (error: AteError) => void
}

export class SigningThread implements Signer {
  readonly suite: SignatureSuite
  readonly publicKey: Uint8Array
  readonly #worker: Worker
  /** Answers come in the order of the requests. */
  readonly #waiting: Waiting[] = []
  #failure: AteError | undefined

  /** `seed` stays the caller's. `onFailure`: the thread has died, and nobody can connect any more. */
  constructor(seed: Uint8Array, onFailure: (error: AteError) => void) {
    const key = signingKeyFromSeed(seed)
    this.suite = key.suite
    this.publicKey = key.publicKey
    wipeSigningKey(key)
    this.#worker = new Worker(new URL('./signing-worker.js', import.meta.url), { workerData: seed })
    this.#worker.on('message', (signature: Uint8Array) => this.#waiting.shift()?.resolve(signature))
    const fail = (cause: unknown): void => {
      if (this.#failure !== undefined) return
      const error = this.#end('The thread that signs has ended.', cause)
      onFailure(error)
    }
    this.#worker.on('error', fail)
    this.#worker.on('exit', () => fail(undefined))
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** ABORTED after `close`. */
  sign(purpose: Uint8Array, digest: Uint8Array): Promise<Uint8Array> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage({ purpose, digest })
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
