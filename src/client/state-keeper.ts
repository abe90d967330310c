/** Keeps what a client knows of a chain, and writes it down now and then. */
import { copyOf } from '../engine/bytes/copy.js'
import type { LogEnd } from '../engine/log/index.js'
import type { SignedHead } from '../sync/index.js'
import { systemTimers, type Timers } from '../wire/index.js'
import { AteError } from '../engine/error.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { type ClientState, encodeClientState } from './client-state.js'
import type { StateStore } from './remote-chain-options.js'

/** What changes all the time is written so often. */
const WRITE_MS = 3000

export interface StateKeeperOptions {
  readonly state: StateStore
  readonly known: ClientState
  readonly timers?: Timers | undefined
  readonly onNotice?: ((message: string) => void) | undefined
}

export class StateKeeper {
  readonly #store: StateStore
  readonly #timers: Timers
  readonly #onNotice: (message: string) => void
  #isTold = false
  #state: ClientState
  #stopTimer: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #isDirty = false
  #isClosed = false

  constructor({ state, known, timers = systemTimers, onNotice = () => undefined }: StateKeeperOptions) {
    this.#store = state
    this.#timers = timers
    this.#onNotice = onNotice
    this.#state = known
  }

  get session(): Uint8Array {
    return this.#state.session
  }

  get term(): number {
    return this.#state.term
  }

  get server(): LogEnd {
    return this.#state.server
  }

  get head(): SignedHead | null {
    return this.#state.head
  }

  get signer(): Uint8Array | null {
    return this.#state.signer
  }

  noteTerm(term: number): void {
    if (term === this.#state.term) return
    this.#state = { ...this.#state, term }
    this.#writeIn(0)
  }

  /** CHAIN_FORKED when another batch was there. */
  noteServer(server: LogEnd): void {
    const { sequence, digest } = this.#state.server
    if (server.sequence === sequence && sequence > 0 && !equalBytes(server.digest, digest))
      throw new AteError('CHAIN_FORKED', `The server had another batch ${sequence} before.`)
    if (server.sequence <= sequence) return
    this.#state = { ...this.#state, server: { sequence: server.sequence, digest: copyOf(server.digest) } }
    this.#writeIn(WRITE_MS)
  }

  get freed(): number {
    return this.#state.freed
  }

  noteFreed(freed: number): void {
    if (freed === this.#state.freed) return
    this.#state = { ...this.#state, freed }
    this.#writeIn(WRITE_MS)
  }

  noteHead(head: SignedHead, signer: Uint8Array): void {
    this.#state = { ...this.#state, head, signer }
    this.#writeIn(WRITE_MS)
  }

  /** Writes down what is new. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer?.()
    this.#write()
    await this.#writing
  }

  #writeIn(ms: number): void {
    this.#isDirty = true
    if (this.#isClosed || (this.#stopTimer !== undefined && ms > 0)) return
    this.#stopTimer?.()
    this.#stopTimer = this.#timers.after(ms, () => {
      this.#stopTimer = undefined
      this.#write()
    })
  }

  #write(): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    const bytes = encodeClientState(this.#state)
    this.#writing = this.#writing
      .then(() => this.#store.write(bytes))
      .then(
        () => void (this.#isTold = false),
        (error: unknown) => this.#writeAgain(error),
      )
  }

  /** Without it nothing is lost but what can be learnt anew: the chain goes on. */
  #writeAgain(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    if (!this.#isTold) this.#onNotice(`What is known of the server could not be written down, and is later: ${why}`)
    this.#isTold = true
    this.#writeIn(WRITE_MS)
  }
}
