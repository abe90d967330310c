/** What the signatures of a run say, for whoever has no key of the chain: whose rights suffice others judge. */
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { verify } from '../crypto/signature.js'
import { AteError } from '../error.js'
import { type ProofEntry, proofDigest } from './format/proof-format.js'
import type { ReceivedBatch } from './received-batch.js'

/**
 * Demands that all signatures of the run verify, and that it is whole: what one batch says to be signed by another is. Some
 * milliseconds for each signature. BAD_SIGNATURE, BATCH_REFUSED.
 */
export function verifySignatures(
  crypto: CryptoProvider,
  run: readonly Pick<ReceivedBatch, 'sequence' | 'authorship'>[],
): void {
  for (const [place, { sequence, authorship }] of run.entries()) {
    if (authorship === undefined) continue
    const { ahead, entries } = authorship.proof
    if (place + ahead >= run.length) throw refused(sequence, 'is signed by one that did not come with it')
    for (const entry of entries) {
      if (entry.distances.some((distance) => distance > place))
        throw refused(sequence, 'signs batches that did not come with it')
      if (!isRight(crypto, entry, authorship.headDigest))
        throw new AteError('BAD_SIGNATURE', `A signature of batch ${sequence} does not verify.`)
    }
  }
}

function isRight(
  crypto: CryptoProvider,
  { suite, publicKey, distances, signature }: ProofEntry,
  headDigest: Uint8Array,
): boolean {
  return verify(suite, publicKey, LABELS.batchSignature, proofDigest(crypto, distances, headDigest), signature)
}

function refused(sequence: number, why: string): AteError {
  return new AteError('BATCH_REFUSED', `Batch ${sequence} ${why}.`)
}
