/** Signs with the server's identity key in a thread of its own: one signature takes some 9 ms, and others must not wait. */
import { signingKeyFromSeed, wipeSigningKey } from '../engine/crypto/signature.js'
import type { SignatureSuite } from '../engine/crypto/suites.js'
import type { AteError } from '../engine/error.js'
import type { Signer } from '../wire/index.js'
import { AnsweringThread } from './answering-thread.js'

/** Its purpose and the digest. */
export interface SignRequest {
  readonly purpose: Uint8Array
  readonly digest: Uint8Array
}

export class SigningThread implements Signer {
  readonly suite: SignatureSuite
  readonly publicKey: Uint8Array
  readonly #thread: AnsweringThread<SignRequest, Uint8Array>

  /** `seed` stays the caller's. `onFailure`: the thread has died, and nobody can connect any more. */
  constructor(seed: Uint8Array, onFailure: (error: AteError) => void) {
    const key = signingKeyFromSeed(seed)
    this.suite = key.suite
    this.publicKey = key.publicKey
    wipeSigningKey(key)
    this.#thread = new AnsweringThread('./signing-worker.js', seed, onFailure)
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.#thread.waiting
  }

  /** ABORTED after `close`. */
  sign(purpose: Uint8Array, digest: Uint8Array): Promise<Uint8Array> {
    return this.#thread.ask({ purpose, digest })
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
