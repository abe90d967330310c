/**
 * Walks the batches of one segment in order, verifying each, and tells apart what a crash can leave (a tear) and what only
 * damage or tampering can. It never decides: whoever walks stops at the first problem or goes on behind it.
 */
import { checkBatch, checkOrder, stateAfter, type BatchJudge, type ChainState } from './chain-state.js'
import type { Doubt } from './doubts.js'
import { FRAME_ALIGNMENT_BYTES } from './format/frame-head.js'
import { readGroups } from './frame-groups.js'
import type { GroupOpener } from './group-opener.js'
import type { FrameRead, SegmentScanner, StoredFrame } from './segment-scanner.js'
import type { Finding, GroupKind, ReplayedBatch } from './types.js'

export interface WalkerOptions {
  judge: BatchJudge
  opener: GroupOpener
  /** Opens content groups too: for fsck. */
  opensContent: boolean
  /** Records of batches up to this one are not looked at: 0 for none. */
  forgotten: number
}

export interface WalkProblem {
  kind: 'problem'
  finding: Finding
  /** A crash can leave this. */
  isTear: boolean
  /** Where the first frame that is not whole begins. */
  position: number
  /** Sequence of the batch that belongs there. */
  expected: number
  /** Where to look for later frames. */
  resumeAt: number
  /** It is content that is not what its batch says. */
  doubt?: Doubt | undefined
}

export interface WalkedBatch {
  kind: 'batch'
  batch: ReplayedBatch
  position: number
  /** Groups that are damaged unless a later batch drops or forgets them. */
  doubts: readonly Doubt[]
}

export type WalkStep = WalkProblem | WalkedBatch

export class SegmentWalker {
  /** The chain behind the last batch that was yielded. */
  state: ChainState
  /** Set when batches were lost to damage already reported: that the next one does not follow is no news. */
  isAdrift = false
  readonly #options: WalkerOptions

  constructor(options: WalkerOptions, from: ChainState) {
    this.#options = options
    this.state = from
  }

  /**
   * Yields batches and problems of a segment from `start` on. What does not verify is skipped. Groups of the kinds in `mayMiss`
   * that do not verify are in doubt only.
   */
  async *walk(
    segment: number,
    scanner: SegmentScanner,
    start: number,
    mayMiss: readonly GroupKind[] = [],
  ): AsyncGenerator<WalkStep> {
    let position: number | undefined = start
    while (position !== undefined) {
      const read: FrameRead = await scanner.frameAt(position)
      const wrong = read.kind === 'frame' ? checkBatch(this.#options.judge, read.frame.head) : undefined
      if (read.kind === 'frame' && wrong === undefined) {
        yield* this.#takeFrame(segment, scanner, read.frame, mayMiss)
        position = read.frame.endPosition
        continue
      }
      const next: number | undefined = await scanner.findFrame(position + FRAME_ALIGNMENT_BYTES)
      if (read.kind === 'end' && next === undefined) return
      const why = read.kind === 'end' ? 'a frame is missing before a later one' : read.kind === 'frame' ? '' : read.why
      const finding: Finding =
        wrong === undefined ? { kind: 'frame', message: why } : { kind: 'batch', message: `the batch ${wrong}` }
      yield this.#problem({ ...finding, segment, position }, read.kind === 'end' || read.kind === 'torn', position)
      this.isAdrift = true
      position = next
    }
  }

  async *#takeFrame(
    segment: number,
    scanner: SegmentScanner,
    frame: StoredFrame,
    mayMiss: readonly GroupKind[],
  ): AsyncGenerator<WalkStep> {
    const { head, position, endPosition } = frame
    const disorder = checkOrder(this.state, head)
    const isLater = head.link.sequence > this.state.sequence
    if (disorder !== undefined && !(this.isAdrift && isLater)) {
      const finding: Finding = { kind: 'link', message: `the batch ${disorder}`, segment, position }
      yield this.#problem(finding, false, position, endPosition)
    }
    if (!isLater) return
    const read = await readGroups({ ...this.#options, segment, scanner, frame, mayMiss })
    const { groups, records, dropped, forgets, problems, doubts } = read
    for (const { finding, isTear, doubt } of problems)
      yield { ...this.#problem(finding, isTear, position, endPosition), doubt }
    this.state = stateAfter(this.#options.judge.crypto, head)
    this.isAdrift = false
    const { sequence, digest } = this.state
    const authorship = this.#options.judge.author.authorship(head.authenticatedBytes, head.auth)
    const batch = { sequence, digest, groups, records, dropped, forgets, segment, endPosition, authorship }
    yield { kind: 'batch', batch, position, doubts }
  }

  #problem(finding: Finding, isTear: boolean, position: number, resumeAt = position + 1): WalkProblem {
    const expected = this.state.sequence + 1
    return { kind: 'problem', finding: { sequence: expected, ...finding }, isTear, position, expected, resumeAt }
  }
}

/** True when an authentic frame at or above `from` says that `sequence` was durable before it was written. */
export async function isKnownDurable(
  judge: BatchJudge,
  scanner: SegmentScanner,
  from: number,
  sequence: number,
): Promise<boolean> {
  // The author speaks of the medium where he wrote it, not of this one.
  if (judge.isKeyless === true) return false
  for (let position = await scanner.findFrame(from); position !== undefined;) {
    const read = await scanner.frameAt(position)
    const head = read.kind === 'frame' ? read.frame.head : undefined
    if (head !== undefined && head.batch.durableSequence >= sequence && checkBatch(judge, head) === undefined)
      return true
    position = await scanner.findFrame(position + FRAME_ALIGNMENT_BYTES)
  }
  return scanner.isExhausted
}
