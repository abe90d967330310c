/**
 * The judgement on a batch of a file system in distributed trust: one of the keys has signed it that the batch which made the root
 * directory has named. Told by nothing but the batch, its signers and the records before it, so that every reader comes to the same.
 */
import { type JudgeBatch, type JudgedState, unjudged } from '../../engine/chain/batch-gate.js'
import { judgeDrop } from '../../engine/chain/compaction/judge-drop.js'
import { receivedChanges, type ReceivedChange } from '../../engine/chain/received-changes.js'
import { StagedState } from '../../engine/chain/staged-state.js'
import { equalBytes } from '../../engine/bytes/equal.js'
import type { CryptoProvider } from '../../engine/crypto/provider.js'
import { AteError, isAteError } from '../../engine/error.js'
import type { ReceivedBatch } from '../../engine/log/index.js'
import { provenRun } from '../../engine/log/proven-run.js'
import { KIND_STATE, LAST_KIND, STATE_WRITERS } from './records/record-kinds.js'
import { findReferences } from './records/references.js'
import { decodeWriters } from './records/writers-record.js'

/** NOT_AUTHORIZED, BATCH_REFUSED, BODY_IN_USE, CONFLICT, BAD_FORMAT. */
export const judgeFiles: JudgeBatch = (batch, before) => {
  const { records, bodies, dropped, forgets, signers } = batch
  if (dropped.length > 0 || forgets > 0) {
    judgeDrop(batch, before, findReferences)
    return
  }
  const changes = receivedChanges(records)
  if (changes.some(({ kind }) => kind < KIND_STATE || kind > LAST_KIND))
    throw new AteError('BATCH_REFUSED', 'The batch puts records that no file system has.')
  const named = before.get(KIND_STATE, 0, STATE_WRITERS)
  if (named !== undefined && changes.some(changesWriters))
    throw new AteError('NOT_AUTHORIZED', 'The batch changes who may write.')
  const record = named ?? writersIn(changes)
  if (record === undefined) throw new AteError('NOT_AUTHORIZED', 'Nobody may write here: no key was named.')
  const writers = decodeWriters(record)
  if (!signers.some((signer) => writers.some((writer) => equalBytes(writer, signer))))
    throw new AteError('NOT_AUTHORIZED', 'The batch is signed by none of the keys that may write the file system.')
  if (new Set(bodies).size !== bodies.length || bodies.some((body) => before.hasBody(body)))
    throw new AteError('CONFLICT', 'The batch brings content of a number that is given out already.')
}

/**
 * Batches that come from elsewhere together, before any of them is kept. Returns the sequences of those that are refused, at opening
 * as well: anybody who has the key of the chain can bring one, and it must stop nobody.
 */
export function judgeReceived(crypto: CryptoProvider, run: readonly ReceivedBatch[], view: JudgedState): number[] {
  const before = new StagedState(view)
  const refused: number[] = []
  for (const { item, signers } of provenRun(crypto, run, (batch) => batch)) {
    try {
      judgeFiles(unjudged(item, signers()), before)
    } catch (error) {
      if (!isAteError(error)) throw error
      refused.push(item.sequence)
      continue
    }
    before.take(item, receivedChanges(item.records))
  }
  return refused
}

/** True when the records are the first ones of a file system. */
export function makesFileSystem(records: readonly Uint8Array[]): boolean {
  return writersIn(receivedChanges(records)) !== undefined
}

function writersIn(changes: readonly ReceivedChange[]): Uint8Array | undefined {
  const change = changes.findLast(changesWriters)
  return change !== undefined && 'low' in change ? (change.value ?? undefined) : undefined
}

function changesWriters(change: ReceivedChange): boolean {
  if (change.kind !== KIND_STATE || change.high !== 0) return false
  if ('low' in change) return change.low === STATE_WRITERS
  return change.from <= STATE_WRITERS && STATE_WRITERS <= change.to
}
