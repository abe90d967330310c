/** Who may have the writer's turn of a chain: whoever shows that he has the key that its maker has named. */
import { copyOf } from '../engine/bytes/copy.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { LABELS } from '../engine/crypto/labels.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { type WriterClaim, writerDigest, type WriterProof } from '../sync/index.js'
import type { PublicKey } from '../wire/index.js'
import type { VerifySignature } from '../engine/log/verify-signatures.js'

export interface WriterGateOptions {
  readonly crypto: CryptoProvider
  readonly verify: VerifySignature
  /** Undefined for a chain that was made before there were any: the first that is shown counts. */
  readonly key: PublicKey | undefined
  /** Keeps it durable. */
  readonly save: (key: PublicKey) => Promise<void>
}

export class WriterGate {
  readonly #options: WriterGateOptions
  #key: PublicKey | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(options: WriterGateOptions) {
    this.#options = options
    this.#key = options.key
  }

  /** False for a proof that is another's, of another connection, or false. WRITE_FAILED when the first cannot be kept. */
  async admits(proof: WriterProof, claim: WriterClaim): Promise<boolean> {
    const { crypto, verify } = this.#options
    if (this.#key !== undefined && !isSame(this.#key, proof)) return false
    if (!(await verify(proof, LABELS.writerTurn, writerDigest(crypto, claim), proof.signature))) return false
    if (this.#key === undefined) this.#register({ suite: proof.suite, publicKey: copyOf(proof.publicKey) })
    await this.#saving
    // Somebody else's may have been the first.
    return isSame(this.#key, proof)
  }

  #register(key: PublicKey): void {
    this.#key = key
    this.#saving = this.#options.save(key).catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    this.#saving.catch(() => (this.#saving = Promise.resolve()))
  }
}

function isSame(key: PublicKey | undefined, proof: PublicKey): boolean {
  return key?.suite === proof.suite && equalBytes(key.publicKey, proof.publicKey)
}
