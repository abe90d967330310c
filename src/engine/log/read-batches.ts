/** Reads batches of a log as they are stored, verified, while somebody else may append to it. */
import { concatBytes } from '../bytes/concat.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import { judgeFor } from './chain-state.js'
import { FEATURE_DROPS } from './format/feature-flags.js'
import { FRAME_HEADER_BYTES } from './format/frame-head.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { ManifestFile } from './manifest-file.js'
import { type BatchBytes, type BatchVerifier, type ReceivedBatch, verifierFor } from './received-batch.js'
import { openSegment } from './segment-open.js'
import type { SegmentScanner, StoredFrame } from './segment-scanner.js'
import type { LogStorage } from './storage.js'
import { gapsOf } from './sparse-groups.js'
import { GROUP_CONTENT, GROUP_RECORDS } from './types.js'

/** Read at once where heads lie between contents that are not. */
const WINDOW_BYTES = 64 * 1024

export interface BatchSource {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  /** As for `openLog`. */
  isKeyless?: boolean | undefined
}

export interface ReadBatchesOptions {
  hasContent?: boolean
  /** Where the first batch, or one before it in its segment, is known to begin: nothing is read before that. */
  at?: { readonly segment: number; readonly position: number } | undefined
}

/**
 * The batches from sequence `from` to `to`, which must be durable already. What is `missing` was dropped or forgotten, or is
 * damaged: a later batch tells; with `hasContent` false all content is, and is not read. CHAIN_DAMAGED; BAD_ARGUMENT for a range that the log has not.
 */
export async function* readBatches(
  source: BatchSource,
  from: number,
  to: number,
  { hasContent = true, at }: ReadBatchesOptions = {},
): AsyncGenerator<ReceivedBatch> {
  const { storage, crypto, keys } = source
  const { segments, format } = (await ManifestFile.load(storage, crypto, keys)).current
  const verify = verifierFor(judgeFor(source, format))
  let index = segments.findLastIndex(({ firstSequence }) => firstSequence <= from)
  let next = from
  for (let entry = segments[index]; entry !== undefined && next <= to; entry = segments[++index]) {
    const begin = at?.segment === entry.number ? at.position : SEGMENT_HEADER_BYTES
    for await (const batch of batchesOf(source, verify, { entry, begin, first: next }, hasContent)) {
      await demandDrops(source, batch, hasContent)
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
  { entry, begin, first }: { entry: SegmentEntry; begin: number; first: number },
  hasContent: boolean,
): AsyncGenerator<ReceivedBatch> {
  const { file, scanner } = await openSegment(source, entry, 'read', hasContent ? undefined : WINDOW_BYTES)
  try {
    let next = first
    for (let position = begin; position < scanner.limit;) {
      const read = await scanner.frameAt(position)
      if (read.kind === 'end') return
      if (read.kind !== 'frame') throw damaged(`${read.why} (segment ${entry.number}, position ${position})`)
      position = read.frame.endPosition
      if (read.frame.head.link.sequence < next) continue
      yield await readBatch(scanner, verify, read.frame, next++, hasContent)
    }
  } finally {
    await file.close()
  }
}

async function readBatch(
  scanner: SegmentScanner,
  verify: BatchVerifier,
  frame: StoredFrame,
  sequence: number,
  hasContent: boolean,
): Promise<ReceivedBatch> {
  const { link } = frame.head
  const bytes = hasContent ? await bytesOf(scanner, frame) : await bytesWithoutContent(scanner, frame)
  try {
    return await verify(bytes, { after: { sequence: sequence - 1, digest: link.previous }, mayMiss: true })
  } catch (cause) {
    if (errorCode(cause) === 'UNSUPPORTED_FORMAT' || !(cause instanceof Error)) throw cause
    throw damaged(cause.message, cause)
  }
}

async function bytesOf(scanner: SegmentScanner, frame: StoredFrame): Promise<BatchBytes> {
  const bodyBytes = frame.head.table.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
  return { head: await headOf(scanner, frame), groups: await scanner.bytes(frame.bodyPosition, bodyBytes) }
}

async function bytesWithoutContent(scanner: SegmentScanner, frame: StoredFrame): Promise<BatchBytes> {
  const { table } = frame.head
  const head = await headOf(scanner, frame)
  const groups: Uint8Array[] = []
  let at = frame.bodyPosition
  for (const { kind, storedBytes } of table) {
    if (kind !== GROUP_CONTENT) groups.push(await scanner.bytes(at, storedBytes))
    at += storedBytes
  }
  const sizes = table.map(({ storedBytes }) => storedBytes)
  return { head, groups: concatBytes(...groups), gaps: gapsOf(sizes, (index) => table[index]?.kind === GROUP_CONTENT) }
}

function headOf(scanner: SegmentScanner, { position, bodyPosition }: StoredFrame): Promise<Uint8Array> {
  const headAt = position + FRAME_HEADER_BYTES
  return scanner.bytes(headAt, bodyPosition - headAt)
}

/** Only a log that allows drops may miss content, and records only where they are forgotten. It may be so since it was opened. */
async function demandDrops(
  { storage, crypto, keys }: BatchSource,
  { missing, sequence }: ReceivedBatch,
  hasContent: boolean,
): Promise<void> {
  if (missing.every(({ kind }) => kind === GROUP_CONTENT && !hasContent)) return
  const { format, forgotten } = (await ManifestFile.load(storage, crypto, keys)).current
  const wrong = missing.find(({ kind }) =>
    kind === GROUP_RECORDS
      ? sequence > (forgotten?.sequence ?? 0)
      : hasContent && (format.incompat & FEATURE_DROPS) === 0,
  )
  if (wrong !== undefined) throw damaged(wrong.finding.message)
}

function damaged(what: string, cause?: unknown): AteError {
  return new AteError('CHAIN_DAMAGED', `The log is damaged: ${what}`, {
    cause,
  })
}
