/**
 * Takes requests from the device, one at a time, on the event loop's thread, until the mount is gone.
 *
 * The event loop polls the device (no thread of the pool waits on it), and a turn takes requests while there are any: a
 * read that finds none is cheaper than another turn, and a bounded wait for the next one is dearer than both, for it arms
 * a timer. A turn ends early when it has lasted long enough for timers and messages of other threads, and when a request
 * waits for an answer that the event loop must bring; the event loop then calls again, as the device is still readable.
 */
import type { FuseDevice } from '../../../adapters/node/libc/fuse-device.js'
import type { ReadableWatch } from '../../../adapters/node/libc/load.js'
import { Errno } from '../../errno.js'
import { Exchange } from './exchange.js'
import type { Session } from './session.js'

/** A turn: commits' timers and replies from other threads come no later than this. */
const TURN_MILLISECONDS = 1.5
/** Idle exchanges kept, of one MiB each where requests were that large. */
const MAX_SPARE_EXCHANGES = 8

export class RequestLoop {
  readonly #device: FuseDevice
  readonly #session: Session
  readonly #onWarning: (message: string) => void
  readonly #spare: Exchange[] = []
  #exchange = new Exchange()
  #watch: ReadableWatch | undefined
  #finish: () => void = () => undefined
  readonly #ended: Promise<void>

  constructor(device: FuseDevice, session: Session, onWarning: (message: string) => void) {
    this.#device = device
    this.#session = session
    this.#onWarning = onWarning
    this.#ended = new Promise((resolve) => (this.#finish = resolve))
  }

  /** Resolves when the kernel has let go of the mount. */
  run(): Promise<void> {
    this.#watch = this.#device.watch(this.#turn)
    return this.#ended
  }

  /** Called by the event loop while there is a request, as often as it takes. */
  readonly #turn = (): void => {
    const end = performance.now() + TURN_MILLISECONDS
    while (this.#serveOne() && performance.now() < end);
  }

  /** False when the turn must end. */
  #serveOne(): boolean {
    const x = this.#exchange
    const length = this.#device.read(x.bytes)
    if (length < 0) return this.#readFailed(-length)
    const answered = this.#session.serve(x, length)
    if (answered === undefined) return true
    this.#exchange = this.#spare.pop() ?? new Exchange()
    void answered.then(() => {
      if (this.#spare.length < MAX_SPARE_EXCHANGES) this.#spare.push(x)
    })
    // What the promise waits for may be no more than the end of this turn.
    return false
  }

  #readFailed(errno: number): boolean {
    if (errno === Errno.EAGAIN) return false
    // The request was taken back while it was read, or a signal came.
    if (errno === Errno.ENOENT || errno === Errno.EINTR) return true
    if (errno !== Errno.ENODEV) this.#onWarning(`reading requests failed with errno ${errno}: the mount is given up`)
    this.#watch?.close()
    this.#finish()
    return false
  }
}
