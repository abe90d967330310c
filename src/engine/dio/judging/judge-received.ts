/** Batches of distributed trust that another copy of the chain brings: judged as at opening, before they are kept. */
import type { CryptoProvider } from '../../crypto/provider.js'
import { AteError } from '../../error.js'
import { ProofQueue } from '../../log/proof-queue.js'
import { GROUP_CONTENT } from '../../log/types.js'
import type { ValidateBatch } from '../../transaction/record-store.js'
import { judgeBatch } from './judge-batch.js'

/** Throws what `judgeBatch` throws, BAD_SIGNATURE, and NOT_SUPPORTED for one that is signed by a later batch. */
export function judgeReceived(crypto: CryptoProvider): ValidateBatch {
  return ({ sequence, records, groups, dropped, authorship }, _, latest) => {
    if (authorship === undefined) throw new AteError('NOT_AUTHORIZED', 'The batch does not say who wrote it.')
    if (authorship.proof.ahead > 0)
      throw new AteError('NOT_SUPPORTED', `The signatures of batch ${sequence} come with a later one.`, {
        hint: 'Copy the files of the chain: they are judged when it is opened.',
      })
    const bodies = groups.filter(({ kind }) => kind === GROUP_CONTENT).map(({ number }) => number)
    for (const { signers } of new ProofQueue(crypto).take(sequence, authorship))
      judgeBatch({ sequence, records, bodies, dropsBodies: dropped.length > 0, signers: signers() }, latest)
  }
}
