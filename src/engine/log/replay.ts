/**
 * Reads the log from a point to its end and verifies it. Decides what a bad frame is: in the segment being written, above
 * everything known to be durable, it is the torn tail of a crash and the log ends before it; anywhere else it is damage.
 */
import { equalBytes } from '../bytes/equal.js'
import { AteError, errorCode } from '../error.js'
import type { ChainState } from './chain-state.js'
import { Doubts, type Judged, NOTHING_JUDGED } from './doubts.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { GroupOpener } from './group-opener.js'
import { checkHeader, openSegment, type OpenSegment } from './segment-open.js'
import { isKnownDurable, SegmentWalker, type WalkProblem } from './segment-walker.js'
import type { BatchJudge } from './chain-state.js'
import type { StartPoint } from './start-point.js'
import type { LogStorage } from './storage.js'
import type { Finding, GroupKind, ReplayedBatch } from './types.js'

/** What can be wrong with one segment while the next can be read. */
const UNREADABLE: ReadonlySet<string | undefined> = new Set(['INPUT_OUTPUT', 'ACCESS_DENIED', 'UNSUPPORTED_FORMAT'])

export interface ReplayOptions {
  storage: LogStorage
  judge: BatchJudge
  segments: readonly SegmentEntry[]
  start: StartPoint
  /** Batches up to this sequence are known to be durable from outside the log (the anchor); 0 when nothing is. */
  durableSequence: number
  /** Goes on behind damage and tells it; otherwise the first damage throws CHAIN_DAMAGED. */
  isTolerant: boolean
  opensContent: boolean
  /** What may be gone in the segment if a later batch drops it. */
  mayMiss: (segment: SegmentEntry) => readonly GroupKind[]
  /** A copy of a chain that a server keeps: content that has not come with its batch is no damage. */
  isServed?: boolean
  /** Records of batches up to this one are not read: a later batch must say that they are forgotten. 0: all are. */
  forgotten: number
  onBatch: (batch: ReplayedBatch) => void | Promise<void>
  /** Where batches are judged: what has come of it since it was last asked. Else every drop counts. */
  judged?: (() => Judged) | undefined
  /** Every batch has been read: those that are not judged are now. */
  onEnd?: (() => Promise<void>) | undefined
  onFinding: (finding: Finding) => void | Promise<void>
  onProgress: (doneBytes: number) => void
}

export interface ReplayEnd {
  state: ChainState
  /** Where the log ends in the last listed segment, and where its last frame begins (undefined: it has none). */
  position: number
  lastPosition: number | undefined
}

export class Replay {
  readonly #options: ReplayOptions
  readonly #walker: SegmentWalker
  readonly #opener: GroupOpener
  readonly #doubts = new Doubts()
  #forgets = 0
  #doneBytes = 0
  #position = SEGMENT_HEADER_BYTES
  #lastPosition: number | undefined

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#opener = new GroupOpener(options.judge.crypto, options.judge.keys)
    this.#walker = new SegmentWalker({ ...options, opener: this.#opener }, options.start.state)
  }

  /** Everything from the start to the end. */
  async run(): Promise<ReplayEnd> {
    for (let index = this.#options.start.index; index < this.#options.segments.length; index++)
      await this.segment(index)
    return await this.finish()
  }

  /** One segment of the list; they must be read in order, beginning with that of the start. */
  async segment(index: number): Promise<void> {
    const { segments, start } = this.#options
    const entry = segments[index]
    if (entry === undefined) return
    const isFirst = index === start.index
    this.#position = isFirst ? start.position : SEGMENT_HEADER_BYTES
    this.#lastPosition = isFirst ? start.lastPosition : undefined
    try {
      const segment = await openSegment({ storage: this.#options.storage, ...this.#options.judge }, entry)
      try {
        await this.#replaySegment(entry, segment)
      } finally {
        await segment.file.close()
      }
    } catch (error) {
      await this.#unreadable(entry, error)
    }
  }

  /** Where the log ends, when all segments have been read. */
  async finish(): Promise<ReplayEnd> {
    this.#opener.wipe()
    await this.#options.onEnd?.()
    this.#settle(this.#options.judged?.())
    // Which bodies were dropped only those can read who have the keys.
    if (this.#options.judge.isKeyless !== true) {
      if (this.#options.isServed !== true) for (const finding of this.#doubts.left()) await this.#damage(finding)
      await this.#checkForgotten()
    }
    return { state: this.#walker.state, position: this.#position, lastPosition: this.#lastPosition }
  }

  async #replaySegment(entry: SegmentEntry, segment: OpenSegment): Promise<void> {
    const from = this.#position
    await this.#checkSegment(entry, segment, from)
    await this.#walkSegment(entry, segment, from)
    await this.#checkEnd(entry)
    this.#doneBytes += segment.scanner.limit
  }

  async #checkSegment(entry: SegmentEntry, { header, findings }: OpenSegment, from: number): Promise<void> {
    for (const finding of findings) await this.#damage(finding)
    if (header === undefined || from !== SEGMENT_HEADER_BYTES || this.#walker.isAdrift) return
    const wrong = checkHeader(header, entry, this.#walker.state.digest)
    if (wrong !== undefined) await this.#damage({ kind: 'segment', message: wrong, segment: entry.number })
  }

  async #walkSegment(entry: SegmentEntry, { scanner }: OpenSegment, from: number): Promise<void> {
    const mayMiss = this.#options.mayMiss(entry)
    for await (const step of this.#walker.walk(entry.number, scanner, from, mayMiss)) {
      if (step.kind === 'batch') {
        this.#forgets = Math.max(this.#forgets, step.batch.forgets)
        this.#position = step.batch.endPosition
        this.#lastPosition = step.position
        // A batch drops what came before it.
        if (this.#options.judged === undefined) this.#settle({ dropped: step.batch.dropped, refused: [] })
        for (const doubt of step.doubts) this.#doubts.add(doubt)
        await this.#options.onBatch(step.batch)
        this.#settle(this.#options.judged?.())
        this.#options.onProgress(this.#doneBytes + this.#position)
      } else if (await this.#isTornTail(entry, scanner, step)) return
      else if (this.#options.isServed === true && step.doubt !== undefined) this.#doubts.add(step.doubt)
      else await this.#damage(step.finding)
    }
  }

  #settle({ dropped, refused }: Judged = NOTHING_JUDGED): void {
    for (const range of dropped) this.#doubts.settle(range)
    for (const sequence of refused) this.#doubts.refuse(sequence)
  }

  async #isTornTail(entry: SegmentEntry, scanner: OpenSegment['scanner'], problem: WalkProblem): Promise<boolean> {
    if (entry.closing !== undefined || !problem.isTear || problem.expected <= this.#options.durableSequence)
      return false
    return !(await isKnownDurable(this.#options.judge, scanner, problem.resumeAt, problem.expected))
  }

  /** A closed segment ends exactly as the manifest says. */
  async #checkEnd({ number, closing }: SegmentEntry): Promise<void> {
    const { state, isAdrift } = this.#walker
    if (closing === undefined) return
    const isRight = state.sequence === closing.lastSequence && equalBytes(state.digest, closing.lastDigest)
    if (isRight) return
    const message = `the segment does not end with batch ${closing.lastSequence} as the manifest says`
    if (!isAdrift) await this.#damage({ kind: 'segment', message, segment: number, sequence: closing.lastSequence })
    this.#walker.isAdrift = true
  }

  /** Whoever begins behind the records that are gone has what counts of them. */
  async #checkForgotten(): Promise<void> {
    const { forgotten, start } = this.#options
    if (start.state.sequence > 0 || this.#forgets >= forgotten) return
    await this.#damage({
      kind: 'manifest',
      message: 'records are forgotten that no batch says to be',
      sequence: forgotten,
    })
  }

  async #unreadable(entry: SegmentEntry, error: unknown): Promise<void> {
    const isOfStorage = UNREADABLE.has(errorCode(error))
    if (!this.#options.isTolerant || !isOfStorage || !(error instanceof Error)) throw error
    await this.#damage({
      kind: 'segment',
      message: `the segment cannot be read: ${error.message}`,
      segment: entry.number,
    })
    this.#walker.isAdrift = true
  }

  async #damage(finding: Finding): Promise<void> {
    if (!this.#options.isTolerant) throw chainDamaged(finding)
    await this.#options.onFinding(finding)
  }
}

export function chainDamaged(finding: Finding): AteError {
  return new AteError('CHAIN_DAMAGED', damageText(finding))
}

/** What is wrong and where, one sentence for people. */
export function damageText({ message, sequence, segment, position }: Finding): string {
  const where = [
    sequence === undefined ? undefined : `batch ${sequence}`,
    segment === undefined ? undefined : `segment ${segment}`,
    position === undefined ? undefined : `position ${position}`,
  ].filter((part) => part !== undefined)
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`
  return `The log is damaged: ${message}${place}.`
}
