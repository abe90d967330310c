/** A chain as a program uses it: transactions on its objects, and an orderly end. */
import { errorCode } from '../error.js'
import { Dio } from './dio.js'
import { DioMut } from './dio-mut.js'
import type { CommitOptions } from './commit-options.js'
import { ObjectStore, type ObjectStoreOptions } from './object-store.js'

export interface ChainOptions extends ObjectStoreOptions {
  name: string
  /** Called once, after everything is durable. */
  onClose: () => Promise<void>
}

export interface TransactOptions extends CommitOptions {
  /** How often it is begun again when something that was read has been changed meanwhile. The default is 10. */
  retries?: number
}

const DEFAULT_RETRIES = 10

export class Chain implements AsyncDisposable {
  readonly name: string
  readonly #objects: ObjectStore
  readonly #onClose: () => Promise<void>
  #closing: Promise<void> | undefined

  constructor({ name, onClose, ...objects }: ChainOptions) {
    this.name = name
    this.#objects = new ObjectStore(objects)
    this.#onClose = onClose
  }

  /** Reads the chain as it is now, whatever is committed later. */
  dio(): Dio {
    return new Dio(this.#objects, this.#objects.records.snapshot())
  }

  /** Begins a transaction. */
  dioMut(): DioMut {
    return new DioMut(this.#objects)
  }

  /**
   * Runs `work` in a transaction and commits it; begins again when something that it read has been changed meanwhile, so
   * `work` must do nothing else that counts. Resolves with what `work` came to. CONFLICT when it never succeeded.
   */
  async transact<T>(work: (dio: DioMut) => Promise<T> | T, options: TransactOptions = {}): Promise<T> {
    const { retries = DEFAULT_RETRIES, ...commit } = options
    for (let left = retries; ; left--) {
      const dio = this.dioMut()
      try {
        const outcome = await work(dio)
        await dio.commit(commit)
        return outcome
      } catch (error) {
        if (errorCode(error) !== 'CONFLICT' || left === 0) throw error
      }
    }
  }

  /** Everything committed so far is as durable as the chain makes it when it resolves. */
  async sync(): Promise<void> {
    await this.#objects.records.sync()
  }

  /** Waits for what is committed and lets go of the chain. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    try {
      await this.sync()
    } finally {
      await this.#onClose()
    }
  }
}
