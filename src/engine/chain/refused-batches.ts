/** Batches from elsewhere that are kept as refused: every reader refuses them alike, and nothing of them counts. */
import type { ReceivedBatch } from '../log/index.js'

/** The same, where those of these sequences say that they are refused, and nothing else. */
export function withRefused(run: readonly ReceivedBatch[], refused: readonly number[] = []): ReceivedBatch[] {
  const nothing = { records: [], dropped: [], missing: [], isRefused: true }
  return run.map((batch) => (refused.includes(batch.sequence) ? { ...batch, ...nothing } : batch))
}

export function refusedIn(run: readonly ReceivedBatch[]): number[] {
  return run.filter(({ isRefused }) => isRefused === true).map(({ sequence }) => sequence)
}
