/** Verifies what clients have signed in a thread of its own: one signature takes some 3 ms, and others must not wait. */
import { copyOf } from '../engine/bytes/copy.js'
import type { SignatureSuite } from '../engine/crypto/suites.js'
import type { AteError } from '../engine/error.js'
import type { VerifySignature } from '../engine/log/verify-signatures.js'
import { AnsweringThread } from './answering-thread.js'

export interface VerifyRequest {
  readonly suite: SignatureSuite
  readonly publicKey: Uint8Array
  readonly purpose: Uint8Array
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

export class VerifyingThread {
  readonly #thread: AnsweringThread<VerifyRequest, boolean>

  /** `onFailure`: the thread has died, and nothing signed is taken any more. */
  constructor(onFailure: (error: AteError) => void) {
    this.#thread = new AnsweringThread('./verifying-worker.js', undefined, onFailure)
  }

  /** ABORTED after `close`. What is given may be a part of a larger buffer: only the part is sent. */
  readonly verify: VerifySignature = ({ suite, publicKey }, purpose, digest, signature) =>
    this.#thread.ask({
      suite,
      publicKey: copyOf(publicKey),
      purpose,
      digest: copyOf(digest),
      signature: copyOf(signature),
    })

  close(): Promise<void> {
    return this.#thread.close()
  }
}
