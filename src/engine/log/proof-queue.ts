/** Brings batches of distributed trust together with their signatures, which come with them or with a later one. */
import { byteLength } from '../bytes/concat.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { publicKeyId, verify } from '../crypto/signature.js'
import { AteError } from '../error.js'
import { MAX_UNPROVEN_BYTES } from '../limits.js'
import { type ProofEntry, proofDigest } from './format/proof-format.js'
import type { Authorship } from './types.js'

export interface Proven<T> {
  readonly item: T
  /** Ids of the keys that signed it: some milliseconds each. BAD_SIGNATURE when one that says so did not. */
  readonly signers: () => Uint8Array[]
}

interface Waiting<T> {
  readonly item: T
  readonly authorship: Authorship
  /** The signatures of it come with this one: counted from the first. */
  readonly closing: number
}

/** Of a batch with these records: what waits for signatures is kept in memory. */
export function mayWait(records: readonly Uint8Array[]): boolean {
  return byteLength(records) <= MAX_UNPROVEN_BYTES
}

/** Batches go in in their order, without a gap, and come out in it. */
export class ProofQueue<T> {
  readonly #crypto: CryptoProvider
  readonly #waiting: Waiting<T>[] = []
  /** What was verified: one signature is for several batches. */
  readonly #verdicts = new WeakMap<ProofEntry, boolean>()
  #count = 0

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto
  }

  /** Returns what need not wait any more. With `mayWait` false nothing signs the batch but what it carries itself. */
  take(item: T, authorship: Authorship, mayWait = true): Proven<T>[] {
    const ahead = mayWait ? authorship.proof.ahead : 0
    this.#waiting.push({ item, authorship, closing: this.#count + ahead })
    this.#count++
    return this.#ready(this.#count - 1)
  }

  /** No more batches come: what still waits is signed by nobody. */
  end(): Proven<T>[] {
    return this.#ready(Infinity)
  }

  #ready(closed: number): Proven<T>[] {
    const ready: Proven<T>[] = []
    for (let next = this.#waiting[0]; next !== undefined && next.closing <= closed; next = this.#waiting[0]) {
      const distance = next.closing - (this.#count - this.#waiting.length)
      const carrier = this.#waiting[distance]?.authorship
      ready.push({ item: next.item, signers: () => this.#signersOf(carrier, distance) })
      this.#waiting.shift()
    }
    return ready
  }

  #signersOf(carrier: Authorship | undefined, distance: number): Uint8Array[] {
    if (carrier === undefined) return []
    return carrier.proof.entries
      .filter(({ distances }) => distances.includes(distance))
      .map((entry) => {
        if (!this.#isRight(entry, carrier.headDigest))
          throw new AteError('BAD_SIGNATURE', 'A signature of the batch does not verify.')
        return publicKeyId(this.#crypto, entry.suite, entry.publicKey)
      })
  }

  #isRight(entry: ProofEntry, headDigest: Uint8Array): boolean {
    const known = this.#verdicts.get(entry)
    if (known !== undefined) return known
    const { suite, publicKey, distances, signature } = entry
    const digest = proofDigest(this.#crypto, distances, headDigest)
    const isRight = verify(suite, publicKey, LABELS.batchSignature, digest, signature)
    this.#verdicts.set(entry, isRight)
    return isRight
  }
}
