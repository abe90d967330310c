/** What the server has said to be locked for this client, and has not been told to be let go of: to be told to it after a restart. */
import { fromHex, toHex } from '../engine/bytes/hex.js'
import { type LockRange, type LockRequest, RangeLocks } from '../sync/index.js'

export class HeldRanges {
  readonly #files = new Map<string, RangeLocks>()

  get all(): LockRequest[] {
    return [...this.#files].flatMap(([file, locks]) =>
      locks.all.map(({ owner, ...range }) => ({ file: fromHex(file), owner: fromHex(owner), ...range })),
    )
  }

  granted({ file, owner, from, to, isExclusive }: LockRequest): void {
    const name = toHex(file)
    const locks = this.#files.get(name) ?? new RangeLocks()
    this.#files.set(name, locks)
    locks.set({ owner: toHex(owner), from, to, isExclusive })
  }

  letGo({ file, owner, from, to }: LockRange): void {
    const name = toHex(file)
    const locks = this.#files.get(name)
    locks?.clear(toHex(owner), { from, to })
    if (locks?.all.length === 0) this.#files.delete(name)
  }

  clear(): void {
    this.#files.clear()
  }
}
