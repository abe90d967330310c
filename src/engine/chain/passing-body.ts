/**
 * A small body that is opened for one piece of it, and not kept: among many that are read at random it would push out another that
 * is as likely to be wanted, and memory that was just used is faster than memory in turn. Who comes again soon is kept then.
 */
import { SHARED_BODY_BYTES } from '../limits.js'

const NOTHING: Uint8Array = new Uint8Array(0)

export class PassingBody {
  readonly #memory = new Uint8Array(SHARED_BODY_BYTES)
  /** Numbers of bodies that were opened here lately, each in the place that its number says. */
  readonly #lately: Float64Array
  /** Undefined: none. */
  #body: number | undefined
  #content = NOTHING

  /** `cacheBytes`: as many are remembered as a cache of that size holds. */
  constructor(cacheBytes: number) {
    this.#lately = new Float64Array(Math.ceil(cacheBytes / SHARED_BODY_BYTES))
  }

  /** The content, good until another one is opened. */
  get(body: number): Uint8Array | undefined {
    return body === this.#body ? this.#content : undefined
  }

  wasOpened(body: number): boolean {
    return this.#lately[body % this.#lately.length] === body
  }

  /** `bodyBytes`: at most SHARED_BODY_BYTES. Good until another one is opened. Throws what `open` throws. */
  open(body: number, bodyBytes: number, open: (into: Uint8Array) => Uint8Array): Uint8Array {
    this.#body = undefined
    if (this.#content.length !== bodyBytes) this.#content = this.#memory.subarray(0, bodyBytes)
    const opened = open(this.#content)
    if (opened !== this.#content) this.#content.set(opened)
    this.#body = body
    this.#lately[body % this.#lately.length] = body
    return this.#content
  }
}
