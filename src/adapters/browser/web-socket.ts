/**
 * A WebSocket of a browser as a transport. A browser reads whether anybody listens or not: what comes while nothing is to be
 * read waits here, up to a bound. It does not say either when something is written: that is looked at now and then.
 */
import { AteError } from '../../engine/error.js'
import type { Transport, TransportEvents } from '../../wire/index.js'

/** What is used of `WebSocket`. */
export interface BrowserSocket {
  binaryType: string
  readonly bufferedAmount: number
  send(data: Uint8Array): void
  close(): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void
}

const OPENING_TIMEOUT_MS = 10_000
const MAX_WAITING_BYTES = 16 * 1024 * 1024
const LOOK_MS = 20

/** The transport of a new `WebSocket`, when it is open. CONNECTION_FAILED, TIMED_OUT, ABORTED. */
export function openBrowserSocket(
  socket: BrowserSocket,
  { signal, timeoutMs = OPENING_TIMEOUT_MS }: { signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const giveUp = (error: AteError): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      reject(error)
      socket.close()
    }
    const onAbort = (): void => giveUp(new AteError('ABORTED', 'Connecting was given up.'))
    const timer = setTimeout(() => giveUp(new AteError('TIMED_OUT', 'The server does not answer.')), timeoutMs)
    signal?.addEventListener('abort', onAbort)
    socket.binaryType = 'arraybuffer'
    const transport = new BrowserTransport(socket)
    socket.addEventListener('open', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      resolve(transport)
    })
    // Browsers do not tell why.
    socket.addEventListener('error', () => giveUp(new AteError('CONNECTION_FAILED', 'The server cannot be reached.')))
    if (signal?.aborted === true) onAbort()
  })
}

class BrowserTransport implements Transport {
  readonly #socket: BrowserSocket
  #events: TransportEvents | undefined
  #isPaused = true
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** How much was sent in all when each packet was, and who is to be told. */
  #unwritten: { end: number; written: () => void }[] = []
  #sentBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #end: { error: AteError | undefined; isTold: boolean } | undefined

  constructor(socket: BrowserSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#arrive(data))
    socket.addEventListener('close', () => this.#finish(undefined))
  }

  start(events: TransportEvents): void {
    this.#events = events
    this.resume()
  }

  send(packet: Uint8Array, written: () => void): void {
    if (this.#end !== undefined) {
      written()
      return
    }
    this.#socket.send(packet)
    this.#sentBytes += packet.length
    this.#unwritten.push({ end: this.#sentBytes, written })
    this.#timer ??= setTimeout(() => this.#look(), 0)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    while (this.#canDeliver()) {
      const packet = this.#waiting.shift()
      if (packet === undefined) break
      this.#waitingBytes -= packet.length
      this.#events?.packet(packet)
    }
    this.#tellEnd()
  }

  close(): void {
    this.#socket.close()
  }

  destroy(): void {
    this.#waiting = []
    this.#isPaused = false
    this.#socket.close()
    this.#finish(undefined)
  }

  #canDeliver(): boolean {
    return !this.#isPaused && this.#events !== undefined
  }

  #arrive(data: unknown): void {
    if (this.#end !== undefined) return
    // Text is no packet: an empty one is refused for it.
    const packet = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0)
    if (this.#canDeliver() && this.#waiting.length === 0) return this.#events?.packet(packet)
    this.#waiting.push(packet)
    this.#waitingBytes += packet.length
    if (this.#waitingBytes <= MAX_WAITING_BYTES) return
    this.#socket.close()
    this.#finish(new AteError('LAGGED', 'More has come than was read.'))
  }

  #look(): void {
    this.#timer = undefined
    const writtenBytes = this.#sentBytes - this.#socket.bufferedAmount
    while ((this.#unwritten[0]?.end ?? Infinity) <= writtenBytes) this.#unwritten.shift()?.written()
    if (this.#unwritten.length > 0) this.#timer = setTimeout(() => this.#look(), LOOK_MS)
  }

  #finish(error: AteError | undefined): void {
    if (this.#end !== undefined) return
    this.#end = { error, isTold: false }
    clearTimeout(this.#timer)
    for (const { written } of this.#unwritten.splice(0)) written()
    this.#tellEnd()
  }

  /** After all that has come. */
  #tellEnd(): void {
    if (this.#end === undefined || this.#end.isTold || !this.#canDeliver() || this.#waiting.length > 0) return
    this.#end.isTold = true
    this.#events?.ended(this.#end.error)
  }
}
