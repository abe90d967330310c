/** The server's word on the head of a chain: at most once in a second while something is new, and whenever somebody asks. */
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { type Point, type SignedHead, signHead } from '../sync/index.js'
import type { Signer, Timers } from '../wire/index.js'

const EVERY_MS = 1000

export interface HeadSigningOptions {
  readonly crypto: CryptoProvider
  readonly signer: Signer
  readonly timers: Timers
  readonly clock: () => number
  readonly chainId: Uint8Array
  /** The last batch that is durable. */
  readonly point: () => Point
  readonly onSigned: (head: SignedHead) => void
}

export class HeadSigning {
  readonly #options: HeadSigningOptions
  #last: Promise<SignedHead> | undefined
  #lastSequence = -1
  #stop: (() => void) | undefined
  #isClosed = false

  constructor(options: HeadSigningOptions) {
    this.#options = options
  }

  /** Something is new: it is signed within a second. */
  note(): void {
    if (this.#stop !== undefined || this.#isClosed) return
    this.#stop = this.#options.timers.after(EVERY_MS, () => {
      this.#stop = undefined
      this.current().then(this.#options.onSigned, () => undefined)
    })
  }

  /** Of what is durable now. */
  current(): Promise<SignedHead> {
    const { crypto, signer, chainId, clock } = this.#options
    const point = this.#options.point()
    if (this.#last !== undefined && this.#lastSequence === point.sequence) return this.#last
    this.#lastSequence = point.sequence
    const signed = signHead(crypto, signer, chainId, point, Math.max(0, Math.floor(clock())))
    this.#last = signed
    signed.catch(() => {
      if (this.#last === signed) this.#last = undefined
    })
    return signed
  }

  close(): void {
    this.#isClosed = true
    this.#stop?.()
  }
}
