/** Whether the storage of a server takes what is written: what it failed with last, until it is known to work again. */
import { type ErrorCode, errorCode } from '../engine/error.js'

/** Of a medium that does not take what is written; others are of what was asked. */
const STORAGE = new Set<ErrorCode | undefined>([
  undefined,
  'NO_SPACE',
  'INPUT_OUTPUT',
  'WRITE_FAILED',
  'READ_ONLY',
  'ACCESS_DENIED',
  'NOT_PERMITTED',
])

export class StorageHealth {
  #failure: { readonly chain: string; readonly isFull: boolean } | undefined

  /** One sentence that names no chain. Undefined: it takes what is written. */
  get problem(): string | undefined {
    if (this.#failure === undefined) return undefined
    return this.#failure.isFull ? 'The disk of the chains is full.' : 'The disk of the chains refuses writes.'
  }

  failed(chain: string, error: unknown): void {
    if (STORAGE.has(errorCode(error))) this.#failure = { chain, isFull: errorCode(error) === 'NO_SPACE' }
  }

  /** Something of that chain has become durable. */
  worked(chain: string): void {
    if (this.#failure?.chain === chain) this.#failure = undefined
  }

  /** Somebody has tried it. */
  mended(): void {
    this.#failure = undefined
  }

  /** As `work`; what it fails with is the storage's failure. */
  async watch<T>(chain: string, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      this.failed(chain, error)
      throw error
    }
  }
}
