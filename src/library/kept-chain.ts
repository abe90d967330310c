/** One chain of a registry: opened for the first who uses it, shared by all, closed some time after the last. */
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
  #timer: ReturnType<typeof setTimeout> | undefined

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
    clearTimeout(this.#timer)
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
    if (this.#users > 0 || keepOpenMs === Infinity) return
    const closeIdle = async (): Promise<void> => {
      if (this.#users === 0) await this.#close()
    }
    this.#timer = setTimeout(() => void this.#turns.run(closeIdle).catch(onFailure), keepOpenMs)
    // A chain on the disk keeps the program by itself; one in memory should not.
    this.#timer.unref()
  }

  /** Closes it, whoever uses it. */
  close(): Promise<void> {
    clearTimeout(this.#timer)
    return this.#turns.run(() => this.#close())
  }

  async #close(): Promise<void> {
    const chain = this.#chain
    this.#chain = undefined
    await chain?.close()
  }
}
