/** How many sockets one address may have open: nobody takes the places of all others. */
import { addressGroup } from './address-group.js'

/** A machine with some hundred programs, or an office behind one address. */
export const MAX_SOCKETS_PER_ADDRESS = 1024

export class SocketLimit {
  readonly #most: number
  readonly #open = new Map<string, number>()
  #refused = 0

  constructor(mostPerAddress = MAX_SOCKETS_PER_ADDRESS) {
    this.#most = mostPerAddress
  }

  /** Sockets that are open. */
  get open(): number {
    return [...this.#open.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Sockets that were refused since the start. */
  get refused(): number {
    return this.#refused
  }

  /** False: one too many. Else `onGone` is told when it has ended. */
  admit(address: string, onGone: (listener: () => void) => void): boolean {
    const group = addressGroup(address)
    const count = this.#open.get(group) ?? 0
    if (count >= this.#most) {
      this.#refused++
      return false
    }
    this.#open.set(group, count + 1)
    onGone(() => {
      const left = (this.#open.get(group) ?? 1) - 1
      if (left === 0) this.#open.delete(group)
      else this.#open.set(group, left)
    })
    return true
  }
}
