/** Batches of distributed trust that come from elsewhere together: who signed them, or why they cannot be taken in so. */
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { mayWait, type Proven, ProofQueue } from './proof-queue.js'
import type { ReceivedBatch } from './received-batch.js'

/** One for each item, in order; `batchOf` gives its batch. NOT_AUTHORIZED, BATCH_REFUSED. */
export function provenRun<T>(
  crypto: CryptoProvider,
  run: readonly T[],
  batchOf: (item: T) => ReceivedBatch,
): Proven<T>[] {
  const queue = new ProofQueue<T>(crypto)
  const proven: Proven<T>[] = []
  for (const [i, item] of run.entries()) {
    const { authorship, records, sequence } = batchOf(item)
    if (authorship === undefined) throw new AteError('NOT_AUTHORIZED', 'The batch does not say who wrote it.')
    // Otherwise, of a copy that has some of those batches, each program would make something else.
    if (authorship.proof.entries.some(({ distances }) => distances.some((distance) => distance > i)))
      throw new AteError('BATCH_REFUSED', `Batch ${sequence} signs batches that did not come with it.`, {
        hint: 'The copy or the export begins between batches that share signatures: begin with an earlier one.',
      })
    proven.push(...queue.take(item, authorship, mayWait(records)))
  }
  const waiting = run[proven.length]
  if (waiting === undefined) return proven
  const { sequence, authorship } = batchOf(waiting)
  const carrier = sequence + (authorship?.proof.ahead ?? 0)
  throw new AteError('BATCH_REFUSED', `The signatures of batch ${sequence} have not come with it.`, {
    hint: `They come with batch ${carrier}: export up to that one, or to the end.`,
  })
}
