/** A batch of the server where the local log has another: it is believed only when it is one of the chain's. */
import { AteError } from '../engine/error.js'
import type { BatchBytes, BatchVerifier, LogEnd } from '../engine/log/index.js'
import { decodeBatch } from '../engine/log/received-batch.js'
import { Diverged } from './set-aside.js'

export interface CommonHistory {
  /** The last batch that the server is known to have had as it is here. */
  readonly known: LogEnd
  readonly hasBatch: (end: LogEnd) => Promise<boolean>
  readonly verify: BatchVerifier
}

/**
 * What the batch shows: `Diverged` where what is here was never the server's, CHAIN_FORKED where it was, or where it follows
 * nothing that is here. Rejects as `verifyBatch` when somebody without the chain's keys has made it.
 */
export async function divergence(batch: BatchBytes, { known, hasBatch, verify }: CommonHistory): Promise<AteError> {
  const { sequence, previous } = decodeBatch(batch).link
  const before = { sequence: sequence - 1, digest: previous }
  if (sequence <= known.sequence || !(await hasBatch(before)))
    return new AteError('CHAIN_FORKED', `The server has another batch ${sequence} than it had before.`)
  await verify(batch, { after: before, mayMiss: true })
  return new Diverged(before.sequence)
}
