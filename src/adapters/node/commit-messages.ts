/**
 * What the main thread and the commit worker say to each other. Content is not copied: a commit names the shared buffers
 * its parts lie in and where they lie (`commit-encoding.ts`).
 */
import type { CompactionReport } from '../../engine/chain/compaction/compaction-report.js'
import type { RewriteWork } from '../../engine/chain/compaction/rewrite-work.js'
import type { BodyPlace } from '../../engine/chain/body-place.js'
import type { ReceiveRequest, WriterStatus } from '../../engine/chain/committer.js'
import type { SigningKey } from '../../engine/crypto/signature.js'
import type { RecordKey } from '../../engine/index/record-key.js'
import type { ChainTrust, NumberRange } from '../../engine/log/types.js'
import { AteError, type ErrorCode, isAteError } from '../../engine/error.js'

export interface CommitMessage {
  type: 'commit'
  transaction: number
  isDurable: boolean
  /** Buffers that come for the first time, and those that will not come again by their number. */
  added: { id: number; buffer: ArrayBufferLike }[]
  dropped: number[]
  /** For each group: kind, number, count of parts, then for each part: buffer, offset, length. */
  layout: Float64Array
  /** Signing keys that come for the first time, and those of this commit by their number. */
  keys: { id: number; key: SigningKey }[]
  signers: number[]
}

export type ToWorker =
  | CommitMessage
  | { type: 'receive'; request: ReceiveRequest }
  | { type: 'rotate' }
  | { type: 'make-room' }
  | { type: 'index-seen' }
  | { type: 'compact'; isShared: boolean }
  /** The answer to `dropping`. */
  | { type: 'drop'; isAllowed: boolean }
  /** The answer to `repacking`. */
  | { type: 'repacked'; isDone: boolean }
  /** The answer to `turn`. */
  | { type: 'turn-given'; isGiven: boolean }
  | { type: 'close' }

export type FromWorker =
  | { type: 'opened'; nextGroup: number; status: WriterStatus; trust: ChainTrust }
  | { type: 'receipt'; transaction: number; places: Float64Array; status: WriterStatus }
  | { type: 'commit-failed'; transaction: number; error: PlainError }
  | { type: 'room'; status: WriterStatus }
  | { type: 'no-room'; error: PlainError }
  | { type: 'indexed'; transaction: number; changedLeaves: RecordKey[] }
  | { type: 'dropping'; bytes: number; outwaitsReaders: boolean }
  | { type: 'repacking'; work: RewriteWork }
  | { type: 'turn' }
  | { type: 'turn-over'; status: WriterStatus; dropped: readonly NumberRange[] }
  | { type: 'compacted'; report: CompactionReport; status: WriterStatus }
  | { type: 'not-compacted'; error: PlainError; status: WriterStatus }
  | { type: 'notice'; message: string }
  | { type: 'refused'; sequence: number; error: PlainError; signers: readonly Uint8Array[] }
  | { type: 'progress'; doneBytes: number; totalBytes: number }
  | { type: 'closed' }
  | { type: 'failed'; error: PlainError }

/** An error as plain data: classes do not survive between threads. */
export interface PlainError {
  code: ErrorCode | undefined
  message: string
  hint: string | undefined
  stack: string | undefined
}

export function toPlainError(error: unknown): PlainError {
  const code = isAteError(error) ? error.code : undefined
  const hint = isAteError(error) ? error.hint : undefined
  if (!(error instanceof Error)) return { code, message: String(error), hint, stack: undefined }
  return { code, message: error.message, hint, stack: error.stack }
}

export function fromPlainError({ code, message, hint, stack }: PlainError): Error {
  if (code !== undefined) return new AteError(code, message, hint === undefined ? {} : { hint })
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}

const PLACE_FIELDS = 5

export function encodePlaces(places: readonly BodyPlace[]): Float64Array {
  const flat = new Float64Array(places.length * PLACE_FIELDS)
  places.forEach(({ body, random, segment, position, storedBytes }, i) => {
    flat.set([body, random, segment, position, storedBytes], i * PLACE_FIELDS)
  })
  return flat
}

export function decodePlaces(flat: Float64Array): BodyPlace[] {
  const places: BodyPlace[] = []
  for (let i = 0; i < flat.length; i += PLACE_FIELDS) {
    const [body = 0, random = 0, segment = 0, position = 0, storedBytes = 0] = flat.subarray(i, i + PLACE_FIELDS)
    places.push({ body, random, segment, position, storedBytes })
  }
  return places
}
