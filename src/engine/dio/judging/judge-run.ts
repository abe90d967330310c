/**
 * Batches that another copy of the chain brings, judged before any of them is kept. In distributed trust those that share
 * signatures come together, and each is judged as at opening: by the chain with those before it.
 */
import { type JudgedState, type RefusedBatch, unjudged } from '../../chain/batch-gate.js'
import { StagedState } from '../../chain/staged-state.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { AteError, isAteError } from '../../error.js'
import type { ReceivedBatch } from '../../log/index.js'
import type { Proven } from '../../log/proof-queue.js'
import { provenRun } from '../../log/proven-run.js'
import type { RecordReader } from '../../transaction/record-reader.js'
import type { ReceivedChanges, ValidateRun } from '../../transaction/record-store.js'
import { type KeyId, keyIdOf } from '../../trust/keys.js'
import { judgeBatch } from './judge-batch.js'

/** A batch from elsewhere with who is known to have signed it: in distributed trust. */
export interface SignedChanges extends ReceivedChanges {
  readonly signers: readonly KeyId[]
  /** As `ReceivedBatch.openBody`, of those before it too that come with it. */
  readonly openBody: ReceivedBatch['openBody']
}

/** Judges one batch from elsewhere by the chain before it: `latest`. What it throws is told to who brought the batch. */
export type ValidateBatch = (received: SignedChanges, latest: RecordReader) => Promise<void>

export interface JudgeRunOptions {
  /** Given in distributed trust: batches are judged by their signatures first. */
  readonly crypto: CryptoProvider | undefined
  readonly validate: ValidateBatch
  /**
   * Told of batches that `judgeBatch` refuses, which are kept as they are at opening: every reader refuses them alike, and nothing
   * of them counts. Without it what it throws is thrown.
   */
  readonly onRefused: ((refused: RefusedBatch) => void) | undefined
}

/**
 * Has each batch judged: what `judgeBatch` throws, BAD_SIGNATURE, and BATCH_REFUSED where signatures and what they are for
 * have not come together.
 */
export function judgeRun({ crypto, validate, onRefused }: JudgeRunOptions): ValidateRun {
  return async (run, latest) => {
    const before = new StagedState(latest)
    const proven = crypto === undefined ? undefined : provenRun(crypto, run, ({ batch }) => batch)
    const refused: RefusedBatch[] = []
    const come: ReceivedBatch[] = []
    const openBody = (number: number): Uint8Array | undefined => first(come, (batch) => batch.openBody(number))
    for (const [i, received] of run.entries()) {
      const { signers, error } = proven === undefined ? NOBODY : judgeProven(proven[i], before)
      if (error !== undefined) {
        if (onRefused === undefined) throw error
        refused.push({ sequence: received.batch.sequence, error, signers })
        continue
      }
      come.unshift(received.batch)
      await validate({ ...received, signers: signers.map(keyIdOf), openBody }, before)
      if (i < run.length - 1) before.take(received.batch, received.changes)
    }
    for (const one of refused) onRefused?.(one)
    return refused.map(({ sequence }) => sequence)
  }
}

function first<T, U>(items: readonly T[], find: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** Who signed a batch, and what is wrong with it. */
interface Judged {
  readonly signers: RefusedBatch['signers']
  readonly error: Error | undefined
}

const NOBODY: Judged = { signers: [], error: undefined }

function judgeProven(proven: Proven<ReceivedChanges> | undefined, before: JudgedState): Judged {
  if (proven === undefined) throw new AteError('BATCH_REFUSED', 'A batch has no signatures.')
  let signers: RefusedBatch['signers'] = []
  try {
    signers = proven.signers()
    judgeBatch(unjudged(proven.item.batch, signers), before)
    return { signers, error: undefined }
  } catch (error) {
    if (isAteError(error)) return { signers, error }
    throw error
  }
}
