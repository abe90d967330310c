/**
 * Batches that another copy of the chain brings, judged before any of them is kept. In distributed trust those that share
 * signatures come together, and each is judged as at opening: by the chain with those before it.
 */
import { unjudged } from '../../chain/batch-gate.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { AteError } from '../../error.js'
import { mayWait, type Proven, ProofQueue } from '../../log/proof-queue.js'
import type { RecordReader } from '../../transaction/record-reader.js'
import type { ReceivedChanges, ValidateRun } from '../../transaction/record-store.js'
import { StagedRecords } from '../../transaction/staged-records.js'
import { judgeBatch } from './judge-batch.js'

/** Judges one batch from elsewhere by the chain before it: `latest`. What it throws is told to who brought the batch. */
export type ValidateBatch = (
  batch: ReceivedChanges['batch'],
  changes: ReceivedChanges['changes'],
  latest: RecordReader,
) => void | Promise<void>

/**
 * Has each batch judged; with `crypto`, of distributed trust, by its signatures first: what `judgeBatch` throws, BAD_SIGNATURE,
 * and BATCH_REFUSED where signatures and what they are for have not come together.
 */
export function judgeRun(crypto: CryptoProvider | undefined, validate: ValidateBatch): ValidateRun {
  return async (run, latest) => {
    const before = new StagedRecords(latest)
    const proven = crypto === undefined ? undefined : provenRun(crypto, run)
    for (const [i, received] of run.entries()) {
      if (i > 0) stage(run[i - 1], before)
      if (proven !== undefined) judgeProven(proven[i], before)
      await validate(received.batch, received.changes, before)
    }
  }
}

function judgeProven(proven: Proven<ReceivedChanges> | undefined, before: RecordReader): void {
  if (proven === undefined) throw new AteError('BATCH_REFUSED', 'A batch has no signatures.')
  judgeBatch(unjudged(proven.item.batch, proven.signers()), before)
}

/** One for each batch, in order. */
function provenRun(crypto: CryptoProvider, run: readonly ReceivedChanges[]): Proven<ReceivedChanges>[] {
  const queue = new ProofQueue<ReceivedChanges>(crypto)
  const proven: Proven<ReceivedChanges>[] = []
  for (const [i, received] of run.entries()) {
    const { authorship, records, sequence } = received.batch
    if (authorship === undefined) throw new AteError('NOT_AUTHORIZED', 'The batch does not say who wrote it.')
    // Otherwise, of a copy that has some of those batches, each program would make something else.
    if (authorship.proof.entries.some(({ distances }) => distances.some((distance) => distance > i)))
      throw new AteError('BATCH_REFUSED', `Batch ${sequence} signs batches that did not come with it.`, {
        hint: 'The copy or the export begins between batches that share signatures: begin with an earlier one.',
      })
    proven.push(...queue.take(received, authorship, mayWait(records)))
  }
  const waiting = run[proven.length]
  if (waiting === undefined) return proven
  const { sequence, authorship } = waiting.batch
  const carrier = sequence + (authorship?.proof.ahead ?? 0)
  throw new AteError('BATCH_REFUSED', `The signatures of batch ${sequence} have not come with it.`, {
    hint: `They come with batch ${carrier}: export up to that one, or to the end.`,
  })
}

/** Puts what was judged where the next batch finds it. */
function stage(received: ReceivedChanges | undefined, records: StagedRecords): void {
  for (const change of received?.changes ?? []) {
    if (!('low' in change))
      throw new AteError('BATCH_REFUSED', 'A batch that deletes a range of records is taken in by itself.')
    records.put(change.kind, change.high, change.low, change.value)
  }
}
