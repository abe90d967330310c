/**
 * How often the kernel and open handles refer to each inode. The kernel remembers every inode it ever looked up until it
 * wants the memory back, which may be millions, so this is an open-addressing table in two typed arrays (about 20 bytes
 * an inode) and not a Map.
 */
const MIN_SLOTS = 1024
const MAX_COUNT = 0xffff_ffff

export class ReferenceCounts {
  /** Inode numbers; 0 marks a free slot. Length is a power of two. */
  #keys = new Float64Array(MIN_SLOTS)
  #counts = new Uint32Array(MIN_SLOTS)
  #size = 0

  /** Inodes referred to. */
  get size(): number {
    return this.#size
  }

  get(ino: number): number {
    return this.#counts[this.#slotOf(ino)] ?? 0
  }

  add(ino: number, count: number): void {
    let slot = this.#slotOf(ino)
    if (this.#keys[slot] === 0) {
      if (this.#size >= this.#keys.length * 0.7) {
        this.#resize(this.#keys.length * 2)
        slot = this.#slotOf(ino)
      }
      this.#keys[slot] = ino
      this.#size++
    }
    this.#counts[slot] = Math.min((this.#counts[slot] ?? 0) + count, MAX_COUNT)
  }

  /** Returns what is left. More than there is counts as all: a driver's mistake must not make a count negative. */
  subtract(ino: number, count: number): number {
    const slot = this.#slotOf(ino)
    if (this.#keys[slot] === 0) return 0
    const left = (this.#counts[slot] ?? 0) - count
    if (left > 0) {
      this.#counts[slot] = left
      return left
    }
    this.#free(slot)
    if (this.#keys.length > MIN_SLOTS && this.#size < this.#keys.length * 0.1) this.#resize(this.#keys.length / 4)
    return 0
  }

  /** The slot of `ino`, or the free one where it belongs. */
  #slotOf(ino: number): number {
    const mask = this.#keys.length - 1
    let slot = home(ino, mask)
    for (;;) {
      const key = this.#keys[slot]
      if (key === ino || key === 0) return slot
      slot = (slot + 1) & mask
    }
  }

  /** Empties a slot and closes the gap in the chains running over it (Knuth 6.4, algorithm R). */
  #free(start: number): void {
    const mask = this.#keys.length - 1
    let gap = start
    let slot = start
    for (;;) {
      slot = (slot + 1) & mask
      const key = this.#keys[slot] ?? 0
      if (key === 0) break
      const distance = (slot - home(key, mask)) & mask
      if (distance < ((slot - gap) & mask)) continue
      this.#keys[gap] = key
      this.#counts[gap] = this.#counts[slot] ?? 0
      gap = slot
    }
    this.#keys[gap] = 0
    this.#counts[gap] = 0
    this.#size--
  }

  #resize(slots: number): void {
    const keys = this.#keys
    const counts = this.#counts
    this.#keys = new Float64Array(Math.max(slots, MIN_SLOTS))
    this.#counts = new Uint32Array(this.#keys.length)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0
      if (key === 0) continue
      const slot = this.#slotOf(key)
      this.#keys[slot] = key
      this.#counts[slot] = counts[i] ?? 0
    }
  }
}

/** Multiplicative hashing (Knuth 6.4): runs of numbers, which inode numbers are, spread instead of piling up. */
function home(ino: number, mask: number): number {
  const folded = ino ^ (ino / 0x1_0000_0000)
  return (Math.imul(folded, 0x9e37_79b1) >>> 8) & mask
}
