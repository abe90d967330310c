/**
 * How many handshakes go on at once. Each makes the server sign, which costs 9 ms of the signing thread, before the client
 * has shown anything: more than these wait their turn, unread, and nobody waits for those of one other address.
 */
import { AteError } from '../engine/error.js'
import { addressGroup } from './address-group.js'

export interface GateLimits {
  /** Under way in all, and for one address. */
  readonly atOnce: number
  readonly atOncePerAddress: number
  /** Waiting in all, and for one address. */
  readonly waiting: number
  readonly waitingPerAddress: number
}

export const GATE_LIMITS: GateLimits = { atOnce: 32, atOncePerAddress: 8, waiting: 1024, waitingPerAddress: 512 }

interface Waiter {
  readonly group: string
  readonly enter: () => void
}

export class HandshakeGate {
  readonly #limits: GateLimits
  readonly #underWay = new Map<string, number>()
  #total = 0
  #waiters: Waiter[] = []

  constructor(limits: GateLimits = GATE_LIMITS) {
    this.#limits = limits
  }

  get underWay(): number {
    return this.#total
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** Resolves when the handshake may begin, with what to call when it is over. LAGGED when too many wait already. */
  async enter(address: string): Promise<() => void> {
    const group = addressGroup(address)
    if (!this.#hasRoom(group)) {
      const same = this.#waiters.filter((waiter) => waiter.group === group).length
      if (this.#waiters.length >= this.#limits.waiting || same >= this.#limits.waitingPerAddress)
        throw new AteError('LAGGED', 'Too many connections are being opened.')
      await new Promise<void>((enter) => this.#waiters.push({ group, enter }))
    } else this.#take(group)
    let isOver = false
    return () => {
      if (!isOver) this.#leave(group)
      isOver = true
    }
  }

  #hasRoom(group: string): boolean {
    const { atOnce, atOncePerAddress } = this.#limits
    return this.#total < atOnce && (this.#underWay.get(group) ?? 0) < atOncePerAddress
  }

  #take(group: string): void {
    this.#total++
    this.#underWay.set(group, (this.#underWay.get(group) ?? 0) + 1)
  }

  #leave(group: string): void {
    this.#total--
    const left = (this.#underWay.get(group) ?? 1) - 1
    if (left === 0) this.#underWay.delete(group)
    else this.#underWay.set(group, left)
    const next = this.#waiters.find((waiter) => this.#hasRoom(waiter.group))
    if (next === undefined) return
    this.#waiters = this.#waiters.filter((waiter) => waiter !== next)
    this.#take(next.group)
    next.enter()
  }
}
