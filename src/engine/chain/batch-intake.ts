/** Takes batches that were made elsewhere into the log and the index, one after another. */
import { AteError } from '../error.js'
import type { Log, ReceivedBatch } from '../log/index.js'
import { type AppendedBatch, GROUP_DROP, GROUP_FORGET } from '../log/types.js'
import type { Compactor } from './compaction/compactor.js'
import type { ReceiveRequest } from './committer.js'
import type { IndexFollower } from './index-follower.js'
import { receivedChanges } from './received-changes.js'

export interface IntakeParts {
  log: Log
  follower: IndexFollower
  /** To be told every record before it is in the log, and what others drop. */
  compactor: () => Pick<Compactor, 'note' | 'noteDropped'> | undefined
}

/**
 * `onKept` is called once, between log and index, with those that count and the last one; `verified` as in `Committer.receive`.
 * Rejects with what `Log.receive` throws.
 */
export async function takeInRun(
  { log, follower, compactor }: IntakeParts,
  { transaction, run, isDurable, mayMiss, refused }: ReceiveRequest,
  onKept: (counting: readonly AppendedBatch[], last: AppendedBatch | undefined) => void,
  verified?: readonly ReceivedBatch[],
): Promise<void> {
  // Of what is refused nothing was left to look at.
  const known = refused.length === 0 ? verified : undefined
  const counts = ({ sequence }: { sequence: number }): boolean => !refused.includes(sequence)
  let opened: readonly ReceivedBatch[] = []
  const accept = (batches: readonly ReceivedBatch[]): void => {
    opened = batches
    const counting = batches.filter(counts)
    // Of distributed trust those who judge decide, as at opening; what one of them refuses stops no other.
    if (log.trust === 'local') demandNewNumbers(counting, follower.nextGroup)
    for (const { dropped } of counting) compactor()?.noteDropped(dropped)
    // Whoever has verified them here has read them, too.
    const isRead = known !== undefined && compactor() === undefined
    for (const change of isRead ? [] : counting.flatMap(({ records }) => receivedChanges(records)))
      if ('low' in change && change.value !== null) compactor()?.note({ ...change, value: change.value })
  }
  const appended = await log.receive(run, { isDurable, mayMiss, accept, verified: known })
  onKept(appended.filter(counts), appended.at(-1))
  const first = transaction - run.length + 1
  for (const [i, batch] of appended.entries()) {
    const { records, dropped } = opened[i] ?? NOTHING
    if (counts(batch)) follower.add(first + i, records, batch, dropped)
    else follower.skip(first + i, batch)
  }
}

const NOTHING: Pick<ReceivedBatch, 'records' | 'dropped'> = { records: [], dropped: [] }

/** Numbers of bodies ascend through the log: a batch that names one again would take the other's place. */
function demandNewNumbers(batches: readonly ReceivedBatch[], first: number): void {
  let next = first
  for (const { sequence, groups } of batches)
    for (const { kind, number } of groups) {
      if (kind === GROUP_DROP || kind === GROUP_FORGET) continue
      if (number < next) throw new AteError('BATCH_REFUSED', `Batch ${sequence} uses the number of another body.`)
      next = number + 1
    }
}
