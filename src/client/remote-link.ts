/**
 * The connection to one server, made anew whenever it is lost: never more than one at a time, each time after a longer wait.
 * Whoever uses it is told of every connection and of its end.
 */
import { AteError, type ErrorCode, errorCode, isAteError } from '../engine/error.js'
import { Peer } from '../sync/index.js'
import {
  Backoff,
  type BackoffOptions,
  connect,
  type ConnectOptions,
  systemTimers,
  type Timers,
  type Transport,
} from '../wire/index.js'

export interface RemoteLinkOptions {
  /** `host:port/path`, for people. */
  server: string
  /** A new transport. */
  dial: (signal: AbortSignal) => Promise<Transport>
  /** Asked for behind each dialling. */
  wire: () => Omit<ConnectOptions, 'signal'>
  timers?: Timers
  backoff?: BackoffOptions
}

/** Who is told of connections. Neither may throw. */
export interface LinkUser {
  connected(peer: Peer): void
  /** Once for each connection that was told, and for each that did not come about. */
  lost(error: AteError): void
}

/** It is of no use to try these again: somebody has to look first. */
const FINAL = new Set<ErrorCode>([
  'BAD_ARGUMENT',
  'SERVER_KEY_CHANGED',
  'SERVER_KEY_UNKNOWN',
  'WIRE_NOT_AGREED',
  'WIRE_DOWNGRADED',
  'HANDSHAKE_FORGED',
  'NOT_FOUND',
  'ACCESS_DENIED',
])

export class RemoteLink {
  readonly server: string
  readonly #options: RemoteLinkOptions
  readonly #users = new Set<LinkUser>()
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #peer: Peer | undefined
  #lastError: AteError | undefined
  #stopWaiting: () => void = () => undefined

  /** Begins to connect. */
  constructor(options: RemoteLinkOptions) {
    this.server = options.server
    this.#options = options
    this.#running = this.#run()
  }

  /** The connection there is. */
  get peer(): Peer | undefined {
    return this.#peer
  }

  /** Why there is none. */
  get lastError(): AteError | undefined {
    return this.#lastError
  }

  /** Tells `user` of connections from now on, of the one there is as well. Returns what ends that. */
  use(user: LinkUser): () => void {
    this.#users.add(user)
    if (this.#peer !== undefined) user.connected(this.#peer)
    return () => void this.#users.delete(user)
  }

  /**
   * The connection, waited for: at most `timeoutMs`, then it fails with what the last attempt failed with. Failures that trying
   * again does not mend are told at once. ABORTED by the signal, CONNECTION_CLOSED after `close`.
   */
  connection(timeoutMs: number, signal?: AbortSignal): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        stop()
        stopTimer()
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      const fail = (error: AteError): void => settle(() => reject(error))
      const onAbort = (): void => fail(new AteError('ABORTED', 'Connecting was given up.'))
      const timers = this.#options.timers ?? systemTimers
      const stopTimer = timers.after(timeoutMs, () => fail(this.#lastError ?? unanswered(this.server)))
      const stop = this.use({
        connected: (peer) => queueMicrotask(() => settle(() => resolve(peer))),
        lost: (error) => (isFinal(error) ? fail(error) : undefined),
      })
      signal?.addEventListener('abort', onAbort)
      if (signal?.aborted === true) onAbort()
      else if (this.#closing.signal.aborted) fail(closed())
      else if (this.#lastError !== undefined && isFinal(this.#lastError)) fail(this.#lastError)
    })
  }

  /** Says goodbye; resolves when nothing of it is open any more. May be called again. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopWaiting()
    await this.#peer?.close()
    await this.#running
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(this.#options.backoff)
    while (!this.#closing.signal.aborted) {
      const { lastedMs, error } = await this.#once()
      this.#lastError = error
      for (const user of [...this.#users]) user.lost(error)
      await this.#wait(backoff.next(lastedMs))
    }
  }

  /** One connection, from its beginning to its end. */
  async #once(): Promise<{ lastedMs: number; error: AteError }> {
    const { signal } = this.#closing
    let sinceMs: number | undefined
    try {
      const transport = await this.#options.dial(signal)
      // The signal closes it only while it is made: then it has an orderly end.
      const connection = await connect(transport, { ...this.#options.wire(), signal })
      const peer = new Peer(connection, this.#options.timers)
      sinceMs = performance.now()
      this.#peer = peer
      for (const user of [...this.#users]) user.connected(peer)
      const { code, message } = await peer.closed
      return { lastedMs: performance.now() - sinceMs, error: new AteError(code, message) }
    } catch (error) {
      return { lastedMs: 0, error: asAteError(error) }
    } finally {
      this.#peer = undefined
    }
  }

  async #wait(ms: number): Promise<void> {
    if (this.#closing.signal.aborted) return
    const timers = this.#options.timers ?? systemTimers
    await new Promise<void>((resolve) => {
      const stop = timers.after(ms, resolve)
      this.#stopWaiting = () => {
        stop()
        resolve()
      }
    })
  }
}

function isFinal(error: AteError): boolean {
  return FINAL.has(errorCode(error) ?? 'CONNECTION_FAILED')
}

function asAteError(cause: unknown): AteError {
  return isAteError(cause) ? cause : new AteError('CONNECTION_FAILED', 'The server cannot be reached.', { cause })
}

function unanswered(server: string): AteError {
  return new AteError('TIMED_OUT', `The server ${server} does not answer.`)
}

function closed(): AteError {
  return new AteError('CONNECTION_CLOSED', 'The connection to the server was closed.')
}
