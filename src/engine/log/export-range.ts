/** Writes a range of a log as an export, while somebody may append to it. */
import { AteError } from '../error.js'
import { batchItemPieces } from './batch-item.js'
import { Doubts } from './doubts.js'
import { encodeEnd, encodeExportHeader, type ExportedKey } from './export-format.js'
import { trustOf } from './format/feature-flags.js'
import { ManifestFile } from './manifest-file.js'
import { type BatchSource, readBatches } from './read-batches.js'
import type { ReceivedBatch } from './received-batch.js'
import type { LogEnd } from './compare-logs.js'

export interface ExportRange {
  /** Sequence of the first batch. */
  from: number
  /** Of the last one; undefined: up to the end, with all drops of what the range misses. */
  to: number | undefined
  key: ExportedKey | undefined
  /** The last batch that is durable. */
  end: () => Promise<LogEnd>
}

/** Pieces of the export, in order. BAD_ARGUMENT for a range that the log has not, CHAIN_DAMAGED. */
export async function* exportRange(source: BatchSource, range: ExportRange): AsyncGenerator<Uint8Array> {
  const { crypto, keys } = source
  const { from } = range
  const first = await range.end()
  demandRange(range, first.sequence)
  const doubts = new Doubts()
  let running: Uint8Array | undefined
  let end: LogEnd | undefined
  let next = from
  do {
    const to = range.to ?? (await range.end()).sequence
    for await (const batch of readBatches(source, next, to)) {
      const { link } = batch.head
      if (running === undefined) {
        const header = await headerOf(source, range, link.previous)
        running = crypto.sha256(header)
        yield header
      }
      note(doubts, batch)
      const pieces = batchItemPieces(batch)
      running = crypto.sha256(running, ...pieces)
      yield* pieces
      end = { sequence: batch.sequence, digest: batch.digest }
    }
    next = to + 1
  } while (range.to === undefined && !isSettled(doubts) && (await range.end()).sequence >= next)
  if (!isSettled(doubts)) throw missingContent(range)
  if (running === undefined) {
    const header = await headerOf(source, range, first.digest)
    running = crypto.sha256(header)
    yield header
  }
  yield encodeEnd(crypto, keys, end ?? first, running)
}

/** A batch drops and forgets what came before it. */
export function note(
  doubts: Doubts,
  { dropped, forgets, missing }: Pick<ReceivedBatch, 'dropped' | 'forgets' | 'missing'>,
): void {
  for (const numbers of dropped) doubts.settle(numbers)
  if (forgets > 0) doubts.forget(forgets)
  for (const doubt of missing) doubts.add(doubt)
}

export function isSettled(doubts: Doubts): boolean {
  return doubts.left().next().done === true
}

function demandRange({ from, to }: ExportRange, last: number): void {
  const isRange = Number.isSafeInteger(from) && from >= 1 && from <= last + 1
  const isWithin = to === undefined || (Number.isSafeInteger(to) && to >= from && to <= last)
  if (!isRange || !isWithin)
    throw new AteError('BAD_ARGUMENT', `The log has batches 1 to ${last}; asked for are ${from} to ${to ?? last}.`)
}

async function headerOf(
  { storage, crypto, keys }: BatchSource,
  { from, key }: ExportRange,
  previous: Uint8Array,
): Promise<Uint8Array> {
  const { chainId, suite } = keys
  const { format } = (await ManifestFile.load(storage, crypto, keys)).current
  return encodeExportHeader({ chainId, suite, trust: trustOf(format), from, previous, key })
}

function missingContent({ to }: ExportRange): AteError {
  if (to === undefined)
    return new AteError('CHAIN_DAMAGED', 'Something of the range is missing, and nothing dropped it.')
  return new AteError('BAD_ARGUMENT', 'Something of the range was dropped by a later batch, or is damaged.', {
    hint: 'Export up to the end.',
  })
}
