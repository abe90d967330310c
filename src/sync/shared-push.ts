/** A push that goes to many: as long as it is shared it is encoded once for all who speak alike. */
import { copyOf } from '../engine/bytes/copy.js'
import type { Format } from '../wire/format.js'
import { encodeMessage } from './envelope.js'
import type { PushMap, PushType } from './pushes.js'

export class SharedPush<T extends PushType = PushType> {
  readonly #type: T
  readonly #body: PushMap[T]
  /** By format and channel, when the second one asks; undefined: it is shared no more. */
  #encoded: Map<string, Uint8Array | undefined> | undefined = new Map()

  constructor(type: T, body: PushMap[T]) {
    this.#type = type
    this.#body = body
  }

  /** What it returns lasts until something else is encoded. */
  encodedFor(format: Format, channel: number): Uint8Array {
    const key = `${format.id} ${channel}`
    const known = this.#encoded?.get(key)
    if (known !== undefined) return known
    const encoded = format.encode(encodeMessage({ channel, kind: 'push', number: 0, type: this.#type }, this.#body))
    if (this.#encoded?.has(key) !== true) {
      this.#encoded?.set(key, undefined)
      return encoded
    }
    const kept = copyOf(encoded)
    this.#encoded.set(key, kept)
    return kept
  }

  /** Whoever still gets it has it encoded for himself. */
  endSharing(): void {
    this.#encoded = undefined
  }
}
