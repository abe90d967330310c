/**
 * The byte ranges of one file that are locked, as fcntl(2) has them: what an owner locks takes the place of what it had there,
 * and its neighbouring ranges of one kind are one. Ends belong to a range.
 */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

export interface RangeLock extends ByteRange {
  readonly owner: string
  readonly isExclusive: boolean
}

export class RangeLocks {
  #locks: RangeLock[] = []

  get all(): readonly RangeLock[] {
    return this.#locks
  }

  /** Locks of others that it cannot be beside. */
  conflicts({ owner, from, to, isExclusive }: RangeLock): RangeLock[] {
    return this.#locks.filter(
      (lock) => lock.owner !== owner && (isExclusive || lock.isExclusive) && meet(lock, { from, to }),
    )
  }

  /** The owner has this, and nothing else there. Nobody else's may be in its way. */
  set({ owner, from, to, isExclusive }: RangeLock): void {
    this.clear(owner, { from, to })
    const beside = { from: from - 1, to: to + 1 }
    const isJoined = (lock: RangeLock): boolean =>
      lock.owner === owner && lock.isExclusive === isExclusive && meet(lock, beside)
    const joined = this.#locks.filter(isJoined)
    this.#locks = this.#locks.filter((lock) => !isJoined(lock))
    const [first, last] = [joined.map((lock) => lock.from), joined.map((lock) => lock.to)]
    this.#locks.push({ owner, from: Math.min(from, ...first), to: Math.max(to, ...last), isExclusive })
  }

  /** The owner has nothing there. */
  clear(owner: string, range: ByteRange): void {
    this.#locks = this.#locks.flatMap((lock) => {
      if (lock.owner !== owner || !meet(lock, range)) return [lock]
      const parts = [
        { ...lock, to: range.from - 1 },
        { ...lock, from: range.to + 1 },
      ]
      return parts.filter(({ from, to }) => from <= to)
    })
  }

  /** Those owners have nothing anywhere. */
  clearAll(isOver: (owner: string) => boolean): void {
    this.#locks = this.#locks.filter(({ owner }) => !isOver(owner))
  }
}

function meet(a: ByteRange, b: ByteRange): boolean {
  return a.from <= b.to && a.to >= b.from
}
