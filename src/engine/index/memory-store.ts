/** OrderedStore in memory: a sorted array of keys with a map of values. For tests, temporary chains and browsers. */
import { copyOf } from '../bytes/copy.js'
import { compareBytes } from '../bytes/compare.js'
import { toHex } from '../bytes/hex.js'
import type { OrderedStore, StoreChange, StoreView } from './ordered-store.js'

export class MemoryStore implements OrderedStore {
  readonly #values = new Map<string, Uint8Array>()
  readonly #keys: Uint8Array[] = []
  #bytes = 0

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toHex(key))
  }

  borrow(key: Uint8Array): Uint8Array | undefined {
    return this.get(key)
  }

  floor(key: Uint8Array): Uint8Array | undefined {
    return this.#keys[this.#firstAbove(key) - 1]
  }

  before(key: Uint8Array): Uint8Array | undefined {
    const above = this.#firstAbove(key)
    return this.#keys[this.#values.has(toHex(key)) ? above - 2 : above - 1]
  }

  after(key: Uint8Array): Uint8Array | undefined {
    return this.#keys[this.#firstAbove(key)]
  }

  keysAfter(key: Uint8Array, limit: number): Uint8Array[] {
    const from = this.#firstAbove(key)
    return this.#keys.slice(from, from + limit)
  }

  write(changes: readonly StoreChange[]): void {
    for (const { key, value } of changes) {
      const id = toHex(key)
      const old = this.#values.get(id)
      this.#bytes += (value?.length ?? 0) - (old?.length ?? 0)
      if (value === null) {
        if (old === undefined) continue
        this.#values.delete(id)
        this.#keys.splice(this.#firstAbove(key) - 1, 1)
      } else {
        if (old === undefined) this.#keys.splice(this.#firstAbove(key), 0, copyOf(key))
        this.#values.set(id, copyOf(value))
      }
    }
  }

  refresh(): void {
    // One thread: everything is visible at once.
  }

  clear(): void {
    this.#values.clear()
    this.#keys.length = 0
    this.#bytes = 0
  }

  view(): StoreView {
    const view = new MemoryStore()
    view.#keys.push(...this.#keys)
    for (const [id, value] of this.#values) view.#values.set(id, value)
    return {
      get: (key) => view.get(key),
      floor: (key) => view.floor(key),
      after: (key) => view.after(key),
      keysAfter: (key, limit) => view.keysAfter(key, limit),
      close: () => view.clear(),
    }
  }

  sizeBytes(): number {
    return this.#bytes
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }

  /** Position of the first key > `key`. */
  #firstAbove(key: Uint8Array): number {
    let from = 0
    let to = this.#keys.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const at = this.#keys[middle]
      if (at !== undefined && compareBytes(at, key) <= 0) from = middle + 1
      else to = middle
    }
    return from
  }
}
