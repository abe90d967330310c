/** Batches that share signatures are taken in together: which those are, by their own word, of which nothing is verified yet. */
import { isAteError } from '../error.js'
import { MAX_BATCH_BYTES, MAX_PROOF_SHARE } from '../limits.js'
import { proofIn } from './batch-author.js'
import { AUTH_PROOF } from './format/batch-header.js'
import { decodeProof } from './format/proof-format.js'
import { type BatchBytes, decodeBatch } from './received-batch.js'
import { groupBytesOf } from './sparse-groups.js'

/**
 * The batches in runs: each goes up to the one with the last signatures of it. One that has none in so many batches or bytes as
 * may share signatures, or up to the end, comes as it is: whoever judges it finds it unsigned.
 */
export async function* proofRuns(batches: AsyncIterable<BatchBytes>): AsyncGenerator<BatchBytes[]> {
  const gathered = new ProofRun()
  for await (const batch of batches) {
    const run = gathered.add(batch)
    if (run !== undefined) yield run
  }
  const rest = gathered.take()
  if (rest.length > 0) yield rest
}

/** Batches that come one by one, until they are a run. */
export class ProofRun {
  #run: BatchBytes[] = []
  /** Place in the run of what has the last signatures of it. */
  #carrier = 0
  #bytes = 0

  /** The run, when this was the last batch of it. */
  add(batch: BatchBytes): BatchBytes[] | undefined {
    this.#carrier = Math.max(this.#carrier, this.#run.length + aheadOf(batch))
    this.#run.push(batch)
    this.#bytes += batch.head.length + groupBytesOf(batch)
    const { length } = this.#run
    const isOpen = length <= this.#carrier && length < MAX_PROOF_SHARE && this.#bytes < MAX_BATCH_BYTES
    return isOpen ? undefined : this.take()
  }

  /** What has come, whole or not. */
  take(): BatchBytes[] {
    const run = this.#run
    this.#run = []
    this.#carrier = this.#bytes = 0
    return run
  }
}

/** How many of the batches, from the first, come with all their signatures; all of them when those can never come. */
export function withSignatures(batches: readonly BatchBytes[]): number {
  let carrier = 0
  let complete = 0
  for (const [i, batch] of batches.entries()) {
    carrier = Math.max(carrier, i + aheadOf(batch))
    if (carrier === i) complete = i + 1
  }
  return batches.length - complete < MAX_PROOF_SHARE ? complete : batches.length
}

/** 0 for what cannot be read: that is refused when it is verified. */
function aheadOf(bytes: BatchBytes): number {
  try {
    const { auth, batch } = decodeBatch(bytes)
    return batch.authKind === AUTH_PROOF ? decodeProof(proofIn(auth)).ahead : 0
  } catch (error) {
    if (isAteError(error)) return 0
    throw error
  }
}
