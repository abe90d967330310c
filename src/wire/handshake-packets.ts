/**
 * The transport while the handshake goes on: packets are taken one by one, for a bounded time, and no more is read than
 * is asked for. Afterwards the connection takes over, and with it what has come meanwhile.
 */
import { AteError } from '../engine/error.js'
import { CLOSE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS } from './limits.js'
import type { Timers } from './timers.js'
import type { Transport, TransportEvents } from './transport.js'

export class HandshakePackets implements TransportEvents {
  readonly #transport: Transport
  readonly #timers: Timers
  readonly #signal: AbortSignal | undefined
  readonly #arrived: Uint8Array[] = []
  readonly #onAbort = (): void => this.#fail(new AteError('ABORTED', 'Connecting was given up.'))
  #waiting: { resolve: (packet: Uint8Array) => void; reject: (error: AteError) => void } | undefined
  #failure: AteError | undefined
  #hasEnded = false
  #successor: TransportEvents | undefined
  #stopTimer: () => void

  constructor(transport: Transport, timers: Timers, signal: AbortSignal | undefined) {
    this.#transport = transport
    this.#timers = timers
    this.#signal = signal
    const tooLate = (): void => this.#fail(new AteError('TIMED_OUT', 'The handshake took too long.'))
    this.#stopTimer = timers.after(HANDSHAKE_TIMEOUT_MS, tooLate)
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted === true) this.#onAbort()
    transport.start(this)
  }

  /** The next packet. TIMED_OUT, ABORTED, CONNECTION_LOST. */
  next(): Promise<Uint8Array> {
    const packet = this.#arrived.shift()
    // The last word of a side that has hung up may be why.
    if (packet === undefined && this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#transport.resume()
    if (packet !== undefined) return Promise.resolve(packet)
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }))
  }

  send(packet: Uint8Array): void {
    this.#transport.send(packet, () => undefined)
  }

  /** Whatever came and comes goes there. */
  handOver(successor: TransportEvents): void {
    this.#settle()
    this.#successor = successor
    this.#transport.resume()
    for (const packet of this.#arrived.splice(0)) successor.packet(packet)
    if (this.#hasEnded) successor.ended(this.#failure)
  }

  /** Ends the transport, after what was sent when `refusal` is given. */
  abandon(refusal?: Uint8Array): void {
    this.#settle()
    // Whatever still comes is passed over, up to the end.
    this.#failure ??= new AteError('CONNECTION_CLOSED', 'The handshake was given up.')
    if (refusal === undefined || this.#hasEnded) {
      this.#transport.destroy()
      return
    }
    this.send(refusal)
    this.#stopTimer = this.#timers.after(CLOSE_TIMEOUT_MS, () => this.#transport.destroy())
    this.#transport.resume()
    this.#transport.close()
  }

  packet(bytes: Uint8Array): void {
    if (this.#successor !== undefined) {
      this.#successor.packet(bytes)
      return
    }
    if (this.#failure !== undefined) return
    const waiting = this.#waiting
    this.#waiting = undefined
    // One more may wait; a peer that talks on is not listened to.
    if (waiting !== undefined) {
      waiting.resolve(bytes)
      return
    }
    this.#arrived.push(bytes)
    this.#transport.pause()
  }

  ended(error?: AteError): void {
    this.#hasEnded = true
    if (this.#successor !== undefined) {
      this.#successor.ended(error)
      return
    }
    this.#fail(error ?? new AteError('CONNECTION_LOST', 'The other side hung up during the handshake.'))
    this.#settle()
  }

  #fail(error: AteError): void {
    this.#failure ??= error
    this.#waiting?.reject(this.#failure)
    this.#waiting = undefined
  }

  #settle(): void {
    this.#stopTimer()
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
