/** Digests of the batches that the local log has: what the server says of its own is compared with them. */
import { equalBytes } from '../engine/bytes/equal.js'
import { type BatchSource, type LogEnd, TailReader } from '../engine/log/index.js'

/** Those of older ones are read from the log. */
const KEPT = 4096

export class KnownDigests {
  readonly #source: BatchSource
  readonly #recent = new Map<number, Uint8Array>()

  constructor(source: BatchSource) {
    this.#source = source
  }

  note({ sequence, digest }: LogEnd): void {
    this.#recent.set(sequence, digest)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= KEPT) return
      this.#recent.delete(oldest)
    }
  }

  /** The log has the batch already: true when it is this one. CHAIN_DAMAGED, INPUT_OUTPUT. */
  async has({ sequence, digest }: LogEnd): Promise<boolean> {
    if (sequence === 0) return true
    const known = this.#recent.get(sequence) ?? (await this.#read(sequence))
    return equalBytes(known, digest)
  }

  async #read(sequence: number): Promise<Uint8Array> {
    const reader = new TailReader(this.#source)
    try {
      for await (const { digest } of reader.read(sequence, sequence)) return digest
      return new Uint8Array(0)
    } finally {
      await reader.close()
    }
  }
}
