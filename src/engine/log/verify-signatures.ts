/** What the signatures of a run say, for whoever has no key of the chain: whose rights suffice others judge. */
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { verify as verifySignature } from '../crypto/signature.js'
import type { SignatureSuite } from '../crypto/suites.js'
import { AteError } from '../error.js'
import { proofDigest } from './format/proof-format.js'
import type { ReceivedBatch } from './received-batch.js'

/** Whether a signature of 32 bytes is right. Some 3 ms: a thread of its own may do it. */
export type VerifySignature = (
  key: { readonly suite: SignatureSuite; readonly publicKey: Uint8Array },
  purpose: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

export const verifyHere: VerifySignature = ({ suite, publicKey }, ...signed) =>
  verifySignature(suite, publicKey, ...signed)

/**
 * Demands that all signatures of the run verify, and that it is whole: what one batch says to be signed by another is. Some
 * milliseconds for each signature. BAD_SIGNATURE, BATCH_REFUSED.
 */
export async function verifySignatures(
  crypto: CryptoProvider,
  run: readonly Pick<ReceivedBatch, 'sequence' | 'authorship'>[],
  verify: VerifySignature = verifyHere,
): Promise<void> {
  for (const [place, { sequence, authorship }] of run.entries()) {
    if (authorship === undefined) continue
    const { ahead, entries } = authorship.proof
    if (place + ahead >= run.length) throw refused(sequence, 'is signed by one that did not come with it')
    for (const entry of entries) {
      if (entry.distances.some((distance) => distance > place))
        throw refused(sequence, 'signs batches that did not come with it')
      const digest = proofDigest(crypto, entry.distances, authorship.headDigest)
      if (!(await verify(entry, LABELS.batchSignature, digest, entry.signature)))
        throw new AteError('BAD_SIGNATURE', `A signature of batch ${sequence} does not verify.`)
    }
  }
}

function refused(sequence: number, why: string): AteError {
  return new AteError('BATCH_REFUSED', `Batch ${sequence} ${why}.`)
}
