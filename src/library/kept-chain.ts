/** One chain of a registry: opened for the first who uses it, shared by all, closed some time after the last. */
import { after } from '../engine/after.js'
import type { Chain } from '../engine/dio/chain.js'
import { TaskQueue } from '../engine/log/task-queue.js'

export interface KeptChainOptions {
  /** How long it stays open when nobody uses it; Infinity: until `close`. */
  keepOpenMs: number
  /** It could not be closed when nobody used it any more: there is nobody else to be told. */
  onFailure: (error: unknown) => void
}

export class KeptChain {
  readonly #options: KeptChainOptions
  /** Opening and closing come one after another: a chain can only be opened again when it is closed. */
  readonly #turns = new TaskQueue()
  #chain: Chain | undefined
  #users = 0
  #stopTimer: (() => void) | undefined

  constructor(options: KeptChainOptions) {
    this.#options = options
  }

  /** Nobody uses it, and it is not open. */
  get isUnused(): boolean {
    return this.#users === 0 && this.#chain?.isClosed !== false
  }

  /** Whoever takes it gives it back, once. */
  async take(open: () => Promise<Chain>): Promise<Chain> {
    this.#users++
    this.#stopTimer?.()
    try {
      return await this.#turns.run(async () => {
        // Closed by one of its users, who was told how that ended.
        if (this.#chain?.isClosed === true) await this.#close().catch(() => undefined)
        return (this.#chain ??= await open())
      })
    } catch (error) {
      this.giveBack()
      throw error
    }
  }

  giveBack(): void {
    this.#users--
    const { keepOpenMs, onFailure } = this.#options
    if (this.#users > 0) return
    const closeIdle = async (): Promise<void> => {
      if (this.#users === 0) await this.#close()
    }
    const close = (): void => void this.#turns.run(closeIdle).catch(onFailure)
    this.#stopTimer = after(keepOpenMs, close, { isBackground: true })
  }

  /** Closes it, whoever uses it. */
  close(): Promise<void> {
    this.#stopTimer?.()
    return this.#turns.run(() => this.#close())
  }

  async #close(): Promise<void> {
    const chain = this.#chain
    this.#chain = undefined
    await chain?.close()
  }
}
