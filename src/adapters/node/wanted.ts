/** Giving up what takes long. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AteError } from '../../engine/error.js'

/** So often a thread that works lets in whoever may give up. */
const TURN_MS = 50

/** ABORTED when it is not to go on. */
export function demandWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw givenUp(signal.reason)
}

/** To be called between two steps of work on this thread. It throws ABORTED. */
export function wantedOnThread(signal: AbortSignal): () => Promise<void> {
  let nextAtMs = 0
  return async () => {
    if (performance.now() >= nextAtMs) {
      await nextTurn()
      nextAtMs = performance.now() + TURN_MS
    }
    demandWanted(signal)
  }
}

/** A signal for a thread that hears no messages while it works. To be disposed of. */
export class SharedSignal implements Disposable {
  /** For the other thread. */
  readonly flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #signal: AbortSignal | undefined
  readonly #raise = (): void => void Atomics.store(this.flag, 0, 1)

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
    if (signal?.aborted === true) this.#raise()
    else signal?.addEventListener('abort', this.#raise, { once: true })
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener('abort', this.#raise)
  }
}

/** On the other thread. ABORTED when it is not to go on. */
export function demandFlagDown(flag: Int32Array): void {
  if (Atomics.load(flag, 0) !== 0) throw givenUp()
}

function givenUp(cause?: unknown): AteError {
  const options = cause === undefined ? {} : { cause }
  return new AteError('ABORTED', 'It was given up; what was there before is as it was.', options)
}
