/**
 * The judgement on a batch of a file system in distributed trust: one of the keys has signed it that the batch which made the root
 * directory has named. Told by nothing but the batch, its signers and the records before it, so that every reader comes to the same.
 */
import { type JudgeBatch, unjudged } from '../../engine/chain/batch-gate.js'
import { receivedChanges, type ReceivedChange } from '../../engine/chain/received-changes.js'
import type { RecordView } from '../../engine/chain/record-view.js'
import { equalBytes } from '../../engine/bytes/equal.js'
import type { CryptoProvider } from '../../engine/crypto/provider.js'
import { AteError } from '../../engine/error.js'
import type { ReceivedBatch } from '../../engine/log/index.js'
import { provenRun } from '../../engine/log/proven-run.js'
import { KIND_STATE, LAST_KIND, STATE_WRITERS } from './records/record-kinds.js'
import { decodeWriters } from './records/writers-record.js'

/** NOT_AUTHORIZED, BATCH_REFUSED, BAD_FORMAT. */
export const judgeFiles: JudgeBatch = ({ records, drops, signers }, before) => {
  // What nobody refers to is known by who reads the whole chain; a drop would take content from the others.
  if (drops) throw new AteError('NOT_AUTHORIZED', 'The batch drops content, or forgets records.')
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
}

/** Batches that come from elsewhere together, before any of them is kept. As `judgeFiles`; BAD_SIGNATURE. */
export function judgeReceived(
  crypto: CryptoProvider,
  run: readonly ReceivedBatch[],
  view: Pick<RecordView, 'get' | 'range' | 'floor'>,
): void {
  let named = view.get(KIND_STATE, 0, STATE_WRITERS)
  const before: typeof view = {
    get: (kind, high, low) =>
      kind === KIND_STATE && high === 0 && low === STATE_WRITERS ? named : view.get(kind, high, low),
    range: (...where) => view.range(...where),
    floor: (...where) => view.floor(...where),
  }
  for (const { item, signers } of provenRun(crypto, run, (batch) => batch)) {
    judgeFiles(unjudged(item, signers()), before)
    named ??= writersIn(receivedChanges(item.records))
  }
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
