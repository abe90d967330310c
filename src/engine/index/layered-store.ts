/**
 * An OrderedStore over another one that is only read: changes stay in memory. Lets any number of readers bring an index up
 * to date, each for itself, without a write to what they share.
 */
import { compareBytes } from '../bytes/compare.js'
import { toHex } from '../bytes/hex.js'
import { MemoryStore } from './memory-store.js'
import type { OrderedStore, StoreChange } from './ordered-store.js'

export class LayeredStore implements OrderedStore {
  readonly #base: OrderedStore
  readonly #changed = new MemoryStore()
  /** Keys whose value or absence in `#changed` counts. */
  readonly #changedKeys = new Set<string>()
  #isBaseHidden = false

  /** `base` is closed with this one. */
  constructor(base: OrderedStore) {
    this.#base = base
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#isKept(key) ? this.#base.get(key) : this.#changed.get(key)
  }

  borrow(key: Uint8Array): Uint8Array | undefined {
    return this.#isKept(key) ? this.#base.borrow(key) : this.#changed.borrow(key)
  }

  floor(key: Uint8Array): Uint8Array | undefined {
    return this.get(key) === undefined ? this.before(key) : key
  }

  before(key: Uint8Array): Uint8Array | undefined {
    const changed = this.#changed.before(key)
    let kept = this.#isBaseHidden ? undefined : this.#base.before(key)
    while (kept !== undefined && (changed === undefined || compareBytes(kept, changed) > 0)) {
      if (this.#isKept(kept)) return kept
      kept = this.#base.before(kept)
    }
    return changed
  }

  after(key: Uint8Array): Uint8Array | undefined {
    const changed = this.#changed.after(key)
    let kept = this.#isBaseHidden ? undefined : this.#base.after(key)
    while (kept !== undefined && (changed === undefined || compareBytes(kept, changed) < 0)) {
      if (this.#isKept(kept)) return kept
      kept = this.#base.after(kept)
    }
    return changed
  }

  keysAfter(key: Uint8Array, limit: number): Uint8Array[] {
    const kept: Uint8Array[] = []
    for (let last: Uint8Array | undefined = this.#isBaseHidden ? undefined : key; last !== undefined;) {
      const page: Uint8Array[] = this.#base.keysAfter(last, limit)
      kept.push(...page.filter((each) => this.#isKept(each)))
      last = kept.length < limit ? page[limit - 1] : undefined
    }
    return [...kept, ...this.#changed.keysAfter(key, limit)].sort(compareBytes).slice(0, limit)
  }

  write(changes: readonly StoreChange[]): void {
    if (!this.#isBaseHidden) for (const { key } of changes) this.#changedKeys.add(toHex(key))
    this.#changed.write(changes)
  }

  refresh(): void {
    // Nobody writes the base while it is read.
  }

  clear(): void {
    this.#isBaseHidden = true
    this.#changedKeys.clear()
    this.#changed.clear()
  }

  sizeBytes(): number {
    return this.#base.sizeBytes() + this.#changed.sizeBytes()
  }

  close(): Promise<void> {
    return this.#base.close()
  }

  /** What the base says of `key` counts. */
  #isKept(key: Uint8Array): boolean {
    return !this.#isBaseHidden && !this.#changedKeys.has(toHex(key))
  }
}
