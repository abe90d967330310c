/** Reads batches of a log as they are stored, verified, while somebody else may append to it. */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import { judgeFor } from './chain-state.js'
import { FEATURE_DROPS } from './format/feature-flags.js'
import { FRAME_HEADER_BYTES } from './format/frame-head.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { ManifestFile } from './manifest-file.js'
import { type BatchVerifier, type ReceivedBatch, verifierFor } from './received-batch.js'
import { openSegment } from './segment-open.js'
import type { SegmentScanner, StoredFrame } from './segment-scanner.js'
import type { LogStorage } from './storage.js'
import { GROUP_RECORDS } from './types.js'

export interface BatchSource {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  /** As for `openLog`. */
  isKeyless?: boolean | undefined
}

/**
 * The batches from sequence `from` to `to`, which must be durable already. What is `missing` was dropped or forgotten, or is
 * damaged: a later batch tells. CHAIN_DAMAGED; BAD_ARGUMENT for a range that the log has not.
 */
export async function* readBatches(source: BatchSource, from: number, to: number): AsyncGenerator<ReceivedBatch> {
  const { storage, crypto, keys } = source
  const { segments, format } = (await ManifestFile.load(storage, crypto, keys)).current
  const verify = verifierFor(judgeFor(source, format))
  let index = segments.findLastIndex(({ firstSequence }) => firstSequence <= from)
  let next = from
  for (let entry = segments[index]; entry !== undefined && next <= to; entry = segments[++index]) {
    for await (const batch of batchesOf(source, verify, entry, next)) {
      if (batch.missing.length > 0) await demandDrops(source, batch)
      yield batch
      next = batch.sequence + 1
      if (next > to) return
    }
  }
  if (next <= to) throw new AteError('BAD_ARGUMENT', `The log has no batch ${next}.`)
}

async function* batchesOf(
  source: BatchSource,
  verify: BatchVerifier,
  entry: SegmentEntry,
  first: number,
): AsyncGenerator<ReceivedBatch> {
  const { file, scanner } = await openSegment(source, entry)
  try {
    let next = first
    for (let position = SEGMENT_HEADER_BYTES; position < scanner.limit;) {
      const read = await scanner.frameAt(position)
      if (read.kind === 'end') return
      if (read.kind !== 'frame') throw damaged(`${read.why} (segment ${entry.number}, position ${position})`)
      position = read.frame.endPosition
      if (read.frame.head.link.sequence < next) continue
      yield await readBatch(scanner, verify, read.frame, next++)
    }
  } finally {
    await file.close()
  }
}

async function readBatch(
  scanner: SegmentScanner,
  verify: BatchVerifier,
  { position, bodyPosition, head: { link, table } }: StoredFrame,
  sequence: number,
): Promise<ReceivedBatch> {
  const headAt = position + FRAME_HEADER_BYTES
  const bodyBytes = table.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
  const bytes = {
    head: await scanner.bytes(headAt, bodyPosition - headAt),
    groups: await scanner.bytes(bodyPosition, bodyBytes),
  }
  try {
    return await verify(bytes, { after: { sequence: sequence - 1, digest: link.previous }, mayMiss: true })
  } catch (cause) {
    if (errorCode(cause) === 'UNSUPPORTED_FORMAT' || !(cause instanceof Error)) throw cause
    throw damaged(cause.message, cause)
  }
}

/** Only a log that allows drops may miss content, and records only where they are forgotten. It may be so since it was opened. */
async function demandDrops(
  { storage, crypto, keys }: BatchSource,
  { missing, sequence }: ReceivedBatch,
): Promise<void> {
  const { format, forgotten } = (await ManifestFile.load(storage, crypto, keys)).current
  const wrong = missing.find(({ kind }) =>
    kind === GROUP_RECORDS ? sequence > (forgotten?.sequence ?? 0) : (format.incompat & FEATURE_DROPS) === 0,
  )
  if (wrong !== undefined) throw damaged(wrong.finding.message)
}

function damaged(what: string, cause?: unknown): AteError {
  return new AteError('CHAIN_DAMAGED', `The log is damaged: ${what}`, {
    cause,
  })
}
