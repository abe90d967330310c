/**
 * A batch that was made elsewhere: by another copy of the chain. It is verified as whatever is read from the log, and then
 * kept byte by byte: its link, its author's word and its seals are what they were. Only the time in its link is bound by
 * nothing but the batch behind it: who brings the last one must vouch for the digest of its link.
 */
import { equalBytes } from '../bytes/equal.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import { MAX_BATCH_BYTES } from '../limits.js'
import { authorOf } from './batch-author.js'
import { checkBatch, checkOrder, stateAfter, type BatchJudge, type ChainState } from './chain-state.js'
import type { Doubt } from './doubts.js'
import { AUTH_PROOF } from './format/batch-header.js'
import { alignFrame, FRAME_HEADER_BYTES, type FrameHead } from './format/frame-head.js'
import { HEAD_FIXED_BYTES, MAX_HEAD_BYTES, readFrameHead, writeFrameHeader } from './format/frame-head.js'
import { readGroups } from './frame-groups.js'
import { GroupOpener } from './group-opener.js'
import { type Gap, groupBytesOf, groupsAt, presentPieces, type SparseGroups } from './sparse-groups.js'
import { type AppendedBatch, type Authorship, type ChainTrust, GROUP_CONTENT, GROUP_RECORDS } from './types.js'
import type { GroupKind, GroupPlace, NumberRange } from './types.js'

const MISSING: readonly GroupKind[] = [GROUP_CONTENT, GROUP_RECORDS]
/** In distributed trust nobody may forget records: whoever judges needs them all. */
const MISSING_OF_PROVEN: readonly GroupKind[] = [GROUP_CONTENT]

/** A frame without what places it in a segment. */
export interface BatchBytes {
  /** Link, batch header, table, authentication. */
  head: Uint8Array
  /** The stored groups, one after another, but for those that are not there. */
  groups: Uint8Array
  /** What is not there. Undefined: nothing. */
  gaps?: readonly Gap[] | undefined
}

export interface ReceivedBatch {
  bytes: BatchBytes
  head: FrameHead
  /** Of its link. */
  sequence: number
  digest: Uint8Array
  /** As if its frame began at position 0 of segment 0. */
  groups: readonly GroupPlace[]
  /** Opened groups of records, in order. */
  records: readonly Uint8Array[]
  dropped: readonly NumberRange[]
  /** As in ReplayedBatch. */
  forgets: number
  /** In distributed trust. */
  authorship: Authorship | undefined
  /** Groups that are not what the table says: a later batch must drop them or, of records, forget them. */
  missing: readonly Doubt[]
  /** It is kept, and nothing of it counts. */
  isRefused?: boolean | undefined
  /** Opens the body of that number, the caller's to keep; undefined when it does not come with the batch, or is missing. */
  openBody: (number: number) => Uint8Array | undefined
}

export interface VerifyBatchOptions {
  judge: BatchJudge
  opener: GroupOpener
  /** The last batch that there is. */
  after: Pick<ChainState, 'sequence' | 'digest'>
  /**
   * Content may be missing and, but for distributed trust, records: who asks sees to it that a later batch drops or forgets
   * them.
   */
  mayMiss: boolean
}

/**
 * OTHER_CHAIN, CHAIN_GAP or CHAIN_FORKED for a batch that does not follow `after`; BATCH_REFUSED for one that is not whole and
 * authentic; UNSUPPORTED_FORMAT.
 */
export async function verifyBatch(options: VerifyBatchOptions, bytes: BatchBytes): Promise<ReceivedBatch> {
  const { judge, opener, after, mayMiss } = options
  const head = decodeBatch(bytes)
  if (!equalBytes(head.batch.chainId, judge.keys.chainId))
    throw new AteError('OTHER_CHAIN', 'The batch is one of another chain.')
  const wrong = checkBatch(judge, head)
  if (wrong !== undefined) throw refused(head, wrong)
  demandNext(after, head)
  const { crypto } = judge
  const bodyPosition = FRAME_HEADER_BYTES + bytes.head.length
  const kinds = judge.author.authKind === AUTH_PROOF ? MISSING_OF_PROVEN : MISSING
  const source = { ...options, opensContent: false, mayMiss: mayMiss ? kinds : [], forgotten: 0, segment: 0 }
  const scanner = {
    bytes: async (position: number, length: number) => groupsAt(bytes, position - bodyPosition, length),
  }
  const read = await readGroups({ ...source, opener, scanner, frame: { head, bodyPosition } })
  const problem = read.problems[0]?.finding
  if (problem !== undefined) throw refused(head, `is not whole: ${problem.message}`)
  const { sequence, digest } = stateAfter(crypto, head)
  const { groups, records, dropped, forgets, doubts: missing } = read
  const authorship = judge.author.authorship(head.authenticatedBytes, head.auth)
  const openBody = (number: number): Uint8Array | undefined => {
    const group = groups.find((one) => one.kind === GROUP_CONTENT && one.number === number)
    if (group === undefined || missing.some((doubt) => doubt.number === number)) return undefined
    const stored = groupsAt(bytes, group.position - bodyPosition, group.storedBytes)
    return stored === undefined ? undefined : opener.open(stored, group)
  }
  return { bytes, head, sequence, digest, groups, records, dropped, forgets, authorship, missing, openBody }
}

export interface ReceiveOptions {
  /** False: it becomes durable with the next append that is. */
  isDurable: boolean
  /** Content and records may be missing that a later batch drops or forgets: until that has come, the log is not whole. */
  mayMiss: boolean
  /** Called when all batches are verified and in order, before anything is kept: may throw to refuse them. */
  accept: (run: readonly ReceivedBatch[]) => void | Promise<void>
  /** The same, as this thread has verified them just now: what is left is whether they are the next ones. */
  verified?: readonly ReceivedBatch[] | undefined
}

export type BatchVerifier = (
  bytes: BatchBytes,
  options: Pick<VerifyBatchOptions, 'after' | 'mayMiss'>,
) => Promise<ReceivedBatch>

/** Verifies batches of the chain with these keys. */
export function batchVerifier(crypto: CryptoProvider, keys: ChainKeys, trust: ChainTrust): BatchVerifier {
  return verifierFor({ crypto, keys, author: authorOf(trust, crypto, keys.author) })
}

export function verifierFor(judge: BatchJudge): BatchVerifier {
  const opener = new GroupOpener(judge.crypto, judge.keys)
  return (bytes, options) => verifyBatch({ judge, opener, ...options }, bytes)
}

/** Batches one behind the other. As `verifyBatch`; BATCH_REFUSED for one that does not continue its author's. */
export async function verifyRun(
  options: Omit<VerifyBatchOptions, 'after'> & { after: ChainState },
  run: readonly BatchBytes[],
): Promise<ReceivedBatch[]> {
  const batches: ReceivedBatch[] = []
  let { after } = options
  for (const bytes of run) {
    const batch = await verifyBatch({ ...options, after }, bytes)
    demandOrder(after, batch.head)
    after = stateAfter(options.judge.crypto, batch.head)
    batches.push(batch)
  }
  return batches
}

/** As `verifyRun`, of what was verified before, by itself. */
export function continueRun(
  { judge, mayMiss, after }: Pick<VerifyBatchOptions, 'judge' | 'mayMiss'> & { after: ChainState },
  run: readonly ReceivedBatch[],
): readonly ReceivedBatch[] {
  let state = after
  for (const { head, missing } of run) {
    demandOrder(state, head)
    if (!mayMiss && missing.length > 0) throw refused(head, 'is not whole')
    state = stateAfter(judge.crypto, head)
  }
  return run
}

/** BATCH_REFUSED when an authentic batch does not continue its author's. */
function demandOrder(state: ChainState, head: FrameHead): void {
  demandNext(state, head)
  const wrong = checkOrder(state, head)
  if (wrong !== undefined) throw refused(head, wrong)
}

/** Parses what a batch says of itself. BATCH_REFUSED, UNSUPPORTED_FORMAT. */
export function decodeBatch({ head, ...sparse }: { head: Uint8Array } & SparseGroups): FrameHead {
  const groupBytes = groupBytesOf(sparse)
  const isPossible = head.length >= HEAD_FIXED_BYTES && head.length <= MAX_HEAD_BYTES && groupBytes <= MAX_BATCH_BYTES
  try {
    if (isPossible) return readFrameHead(head, groupBytes)
  } catch (cause) {
    if (errorCode(cause) !== 'BAD_FORMAT') throw cause
    throw new AteError('BATCH_REFUSED', 'The batch cannot be read.', { cause })
  }
  throw new AteError('BATCH_REFUSED', 'The batch has a size that none has.')
}

/** What its frame takes in a segment. */
export function frameBytesOf(bytes: BatchBytes): number {
  return alignFrame(FRAME_HEADER_BYTES + bytes.head.length + groupBytesOf(bytes))
}

/** As it is in a segment where its frame begins at `position`. */
export function placedBatch(batch: ReceivedBatch, segment: number, position: number): AppendedBatch {
  const { sequence, digest, bytes } = batch
  const groups = batch.groups.map((place) => ({ ...place, segment, position: position + place.position }))
  return { sequence, digest, segment, endPosition: position + frameBytesOf(bytes), groups }
}

/** Writes its frame at the start of `target`, as the segment with that salt has it. */
export function writeFrame(crypto: CryptoProvider, target: Uint8Array, salt: Uint8Array, bytes: BatchBytes): void {
  const { head, groups } = bytes
  const end = FRAME_HEADER_BYTES + head.length + groups.length
  target.set(head, FRAME_HEADER_BYTES)
  target.set(groups, FRAME_HEADER_BYTES + head.length)
  target.fill(0, end, alignFrame(end))
  writeFrameHeader(crypto, target, 0, salt, { headBytes: head.length, bodyBytes: groups.length })
}

/** What there is of its frame in the segment with that salt; between the pieces are zeros. */
export function framePieces(crypto: CryptoProvider, salt: Uint8Array, bytes: BatchBytes): FramePiece[] {
  const bodyAt = FRAME_HEADER_BYTES + bytes.head.length
  const start = new Uint8Array(bodyAt)
  start.set(bytes.head, FRAME_HEADER_BYTES)
  writeFrameHeader(crypto, start, 0, salt, { headBytes: bytes.head.length, bodyBytes: groupBytesOf(bytes) })
  const pieces = [...presentPieces(bytes)].map((piece) => ({ at: bodyAt + piece.at, bytes: piece.bytes }))
  return [{ at: 0, bytes: start }, ...pieces]
}

/** From the first byte of the frame on. */
export interface FramePiece {
  readonly at: number
  readonly bytes: Uint8Array
}

function demandNext(after: Pick<ChainState, 'sequence' | 'digest'>, { link }: FrameHead): void {
  const next = after.sequence + 1
  if (link.sequence > next)
    throw new AteError('CHAIN_GAP', `Batch ${link.sequence} came where batch ${next} belongs.`, {
      hint: 'Bring the batches between first.',
    })
  if (link.sequence < next || !equalBytes(link.previous, after.digest))
    throw new AteError('CHAIN_FORKED', `Batch ${link.sequence} is of another history than this copy of the chain.`, {
      hint: 'Both copies were written to. Keep one, and begin the other anew from it.',
    })
}

function refused({ link }: FrameHead, why: string): AteError {
  return new AteError('BATCH_REFUSED', `Batch ${link.sequence} ${why}.`)
}
