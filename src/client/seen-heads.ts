/** The server's signed word on its head, compared with what it has sent: two histories of one server are told, with evidence. */
import { copyOf } from '../engine/bytes/copy.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { AteError } from '../engine/error.js'
import type { BatchSource, LogEnd } from '../engine/log/index.js'
import { type ForkEvidence, type HeadSigner, isHeadAuthentic, type SignedHead } from '../sync/index.js'
import type { KnownDigests } from './known-digests.js'
import type { StateKeeper } from './state-keeper.js'

export interface SeenHeadsOptions {
  readonly crypto: CryptoProvider
  readonly source: BatchSource
  readonly digests: KnownDigests
  readonly state: StateKeeper
  /** Where the local log ends. */
  readonly local: () => LogEnd
  readonly onEvidence?: ((evidence: ForkEvidence, signer: HeadSigner) => void) | undefined
}

export class SeenHeads {
  readonly #options: SeenHeadsOptions

  constructor(options: SeenHeadsOptions) {
    this.#options = options
  }

  /** When all batches that came before it are taken in. BAD_SIGNATURE, CHAIN_FORKED. */
  async take(head: SignedHead, signer: HeadSigner): Promise<void> {
    const { crypto, source, digests, state, local } = this.#options
    if (head.sequence <= (state.head?.sequence ?? -1) && head.sequence < local().sequence) return
    if (!isHeadAuthentic(crypto, signer, source.keys.chainId, head))
      throw new AteError('BAD_SIGNATURE', 'The server has not signed what it says of its chain.')
    // It was signed for more than was sent yet: the next one tells.
    if (head.sequence > local().sequence) return
    if (!(await digests.has(head))) {
      // Of what was made here and is not known to be there: whether others went on is told by their batches.
      if (head.sequence > state.server.sequence) return
      this.tellFork(head, signer)
      throw new AteError('CHAIN_FORKED', `The server has signed another batch ${head.sequence} than it has sent.`)
    }
    state.noteHead(
      { ...head, digest: copyOf(head.digest), signature: copyOf(head.signature) },
      copyOf(signer.publicKey),
    )
  }

  /** What it has signed before is kept, beside what it has signed now. */
  tellFork(head: SignedHead | null, signer: HeadSigner | undefined): void {
    const { crypto, source, state, onEvidence } = this.#options
    const { chainId } = source.keys
    if (head === null || signer === undefined || state.head === null) return
    if (isHeadAuthentic(crypto, signer, chainId, head)) onEvidence?.({ chainId, one: state.head, other: head }, signer)
  }
}
