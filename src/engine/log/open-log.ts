/**
 * Opening a log: manifest, anchor, replay, and what a crash left put in order. After it the last segment is closed for
 * good: a session writes to segments of its own only.
 */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import { SEGMENT_BYTES } from '../limits.js'
import { AnchorCheck } from './anchor-check.js'
import { type BatchJudge, type ChainState, judgeFor } from './chain-state.js'
import { closeTail } from './close-tail.js'
import { digestOfBatch } from './digest-of-batch.js'
import { encodeAnchor } from './format/anchor-format.js'
import { CURRENT_FORMAT, isReadOnlyFormat } from './format/feature-flags.js'
import { type Manifest, mayMissIn, type SegmentEntry } from './format/manifest-format.js'
import { segmentName } from './format/segment-name.js'
import { manifestDamage } from './describe-chain.js'
import { foundForgotten, foundSegments } from './found-segments.js'
import { findLeftovers, removeLeftovers } from './leftovers.js'
import { Log } from './log.js'
import { ManifestFile } from './manifest-file.js'
import { chainDamaged, Replay, type ReplayEnd, type ReplayOptions } from './replay.js'
import { readAnchor } from './read-anchor.js'
import { findPoint, START_OF_LOG, type StartPoint } from './start-point.js'
import type { LogStorage } from './storage.js'
import type { AnchorStore, ChainTrust, Finding, LogPoint, ReplayedBatch } from './types.js'

export interface OpenLogOptions {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  /** The keys are not those of the chain but of who keeps it: its batches are verified as far as that goes without them. */
  isKeyless?: boolean | undefined
  /** A copy of a chain that a server keeps: content that has not come with its batch is no damage. */
  isServed?: boolean | undefined
  /** Milliseconds since 1970. */
  clock: () => number
  anchor?: AnchorStore | undefined
  readOnly: boolean
  /** Takes a log that ends before what the anchor knows to be durable. */
  acceptRollback?: boolean | undefined
  /** Reading only: goes on behind damage and tells it. */
  allowDamage?: boolean | undefined
  /** A segment is closed above this. Smaller ones are for small disks and tests. */
  segmentBytes?: number | undefined
  /** What a cache has taken in: only later batches are replayed. */
  from?: LogPoint | undefined
  /** Called in order with every batch behind `from`, or with all. */
  onBatch: (batch: ReplayedBatch) => void | Promise<void>
  /** As in ReplayOptions. */
  judged?: ReplayOptions['judged']
  onEnd?: (() => Promise<void>) | undefined
  onFinding?: ((finding: Finding) => void) | undefined
  onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined
}

export interface OpenedLog {
  log: Log
  /** False when `from` was given and is not a point of this log: the replay began at the start. */
  pointAccepted: boolean
  /** True when there are batches and nothing outside the log says up to where they were durable. */
  anchorMissing: boolean
}

/** Writes the manifest of a new, empty log. CHAIN_EXISTS when there is one. */
export async function createLog(
  options: Pick<OpenLogOptions, 'storage' | 'crypto' | 'keys' | 'clock'> & { trust?: ChainTrust | undefined },
): Promise<void> {
  const { storage, crypto, keys, clock, trust = 'local' } = options
  await ManifestFile.create(storage, crypto, keys, Math.max(0, Math.floor(clock())), trust)
}

/**
 * Throws NOT_A_CHAIN, UNSUPPORTED_FORMAT, CHAIN_DAMAGED, CHAIN_ROLLED_BACK, or INPUT_OUTPUT. The anchor is closed with
 * the log, or when this throws.
 */
export async function openLog(options: OpenLogOptions): Promise<OpenedLog> {
  try {
    return await new LogOpening(options).run()
  } catch (error) {
    options.anchor?.close()
    throw error
  }
}

class LogOpening {
  readonly #options: OpenLogOptions
  #judge: BatchJudge
  readonly #isWritable: boolean
  readonly #isTolerant: boolean
  readonly #onFinding: (finding: Finding) => void

  constructor(options: OpenLogOptions) {
    this.#options = options
    this.#judge = judgeFor(options, CURRENT_FORMAT)
    this.#isWritable = !options.readOnly
    this.#isTolerant = options.allowDamage === true
    this.#onFinding = options.onFinding ?? (() => {})
    if (this.#isTolerant && this.#isWritable) {
      throw new AteError('BAD_ARGUMENT', 'A damaged log can only be opened for reading.')
    }
  }

  async run(): Promise<OpenedLog> {
    const { storage, from, acceptRollback } = this.#options
    const manifest = await this.#loadManifest()
    this.#judge = judgeFor(this.#options, manifest.current.format)
    const anchor = await readAnchor(this.#options, this.#onFinding)
    const anchored = new AnchorCheck(acceptRollback === true ? undefined : anchor)
    const { segments } = manifest.current
    const highestNumber = await this.#checkFiles(segments)
    const openBytes = await this.#readyLastSegment(segments)
    const found = await this.#findStart(manifest.current)
    await this.#noteAnchored(segments, anchored, found)
    const end = await this.#replay(manifest, found ?? START_OF_LOG, anchored, openBytes)
    if (this.#isWritable) {
      await closeTail(storage, manifest, end)
      this.#moveAnchor(end.state)
    }
    return {
      log: this.#makeLog(manifest, end, highestNumber + 1),
      pointAccepted: from === undefined || found !== undefined,
      anchorMissing: anchor === undefined && end.state.sequence > 0,
    }
  }

  /** What a cache lacks of records that are forgotten cannot be read again: it begins anew. */
  async #findStart({ segments, forgotten }: Manifest): Promise<StartPoint | undefined> {
    const { storage, from } = this.#options
    if (from === undefined || from.sequence < (forgotten?.sequence ?? 0)) return undefined
    return await findPoint(storage, this.#judge, segments, from)
  }

  async #loadManifest(): Promise<ManifestFile> {
    const { storage, crypto, keys } = this.#options
    try {
      const manifest = await ManifestFile.load(storage, crypto, keys)
      if (this.#isWritable && isReadOnlyFormat(manifest.current.format)) {
        throw new AteError('UNSUPPORTED_FORMAT', 'This program can only read this chain: it uses newer features.', {
          hint: 'Open it read-only, or use the newer atefs that wrote it.',
        })
      }
      return manifest
    } catch (error) {
      return await this.#withoutManifest(error)
    }
  }

  async #withoutManifest(error: unknown): Promise<ManifestFile> {
    const { storage, crypto, keys } = this.#options
    const names = await storage.list()
    const damage = manifestDamage(error, names)
    if (!this.#isTolerant) throw damage ?? error
    if (damage === undefined && errorCode(error) !== 'INPUT_OUTPUT') throw error
    const what = errorCode(error) === 'NOT_A_CHAIN' ? 'is missing' : damage ? 'is damaged' : 'cannot be read'
    this.#onFinding({ kind: 'manifest', message: `the manifest ${what}: the segment files are read as they are` })
    const source = { storage, crypto, keys }
    const segments = await foundSegments(source, names)
    return ManifestFile.inPlace(storage, crypto, keys, segments, await foundForgotten(source, segments))
  }

  /** Every listed segment is there, and no later file holds batches. Returns the highest number in use. */
  async #checkFiles(segments: readonly SegmentEntry[]): Promise<number> {
    const { storage, crypto, keys, acceptRollback } = this.#options
    const leftovers = await findLeftovers({ storage, crypto, keys }, await storage.list(), segments)
    for (const finding of leftovers.findings) {
      // Whoever restored an older copy may have left later segments beside it.
      if (finding.kind === 'manifest' && acceptRollback === true) continue
      if (!this.#isTolerant) throw chainDamaged(finding)
      if (finding.kind === 'manifest') this.#onFinding(finding)
    }
    if (this.#isWritable) await removeLeftovers(storage, leftovers)
    return leftovers.highestNumber
  }

  /**
   * Bytes of the segment that the last session left open; 0 when it left none. What is read of it may be in the page
   * cache only (the process was killed, not the machine): it is synced before anyone builds on it, an index included.
   */
  async #readyLastSegment(segments: readonly SegmentEntry[]): Promise<number> {
    const last = segments.at(-1)
    if (last === undefined || last.closing !== undefined) return 0
    const name = segmentName(last.number)
    try {
      const file = await this.#options.storage.openSegment(name, this.#isWritable ? 'append' : 'read')
      try {
        await (this.#isWritable ? file.sync() : file.sync().catch(() => undefined))
        return await file.size()
      } finally {
        await file.close()
      }
    } catch (error) {
      if (this.#isTolerant) return 0
      throw error
    }
  }

  /** What lies before the point of an index is not read again: that the anchor's batch is there has to be looked up. */
  async #noteAnchored(
    segments: readonly SegmentEntry[],
    anchored: AnchorCheck,
    start: StartPoint | undefined,
  ): Promise<void> {
    const { durableSequence: sequence } = anchored
    if (sequence === 0 || start === undefined || sequence >= start.state.sequence) return
    const digest = await digestOfBatch(this.#options.storage, this.#judge, segments, sequence)
    if (digest !== undefined) anchored.noteState({ sequence, digest })
  }

  async #replay(
    { current }: ManifestFile,
    start: StartPoint,
    anchored: AnchorCheck,
    openBytes: number,
  ): Promise<ReplayEnd> {
    const { storage, onBatch, judged, onEnd, onProgress, isServed = false } = this.#options
    const { segments } = current
    const totalBytes = bytesOf(segments.slice(start.index)) + openBytes
    anchored.noteState(start.state)
    const replay = new Replay({
      storage,
      judge: this.#judge,
      segments,
      start,
      durableSequence: anchored.durableSequence,
      isTolerant: this.#isTolerant,
      opensContent: false,
      mayMiss: (segment) => mayMissIn(current, segment),
      isServed,
      forgotten: current.forgotten?.sequence ?? 0,
      onBatch: (batch) => {
        anchored.noteState(batch)
        return onBatch(batch)
      },
      judged,
      onEnd,
      onFinding: this.#onFinding,
      onProgress: (doneBytes) => onProgress?.(doneBytes, Math.max(totalBytes, doneBytes)),
    })
    const end = await replay.run()
    const problem = anchored.problem(segments, end.state)
    if (problem === undefined) return end
    if (!this.#isTolerant) throw rolledBack(problem)
    this.#onFinding({ kind: 'rollback', message: problem, sequence: anchored.durableSequence })
    return end
  }

  #makeLog(manifest: ManifestFile, end: ReplayEnd, nextNumber: number): Log {
    const { storage, crypto, keys, clock, anchor } = this.#options
    const { segments } = manifest.current
    const isOpen = segments.at(-1)?.closing === undefined
    return new Log({
      storage,
      crypto,
      keys,
      author: this.#judge.author,
      isKeyless: this.#judge.isKeyless,
      isServed: this.#options.isServed,
      clock,
      anchor,
      onFinding: this.#onFinding,
      isReadOnly: !this.#isWritable,
      segmentBytes: this.#options.segmentBytes ?? SEGMENT_BYTES,
      manifest,
      nextNumber,
      state: end.state,
      head: headOf(segments, end),
      sizeBytes: bytesOf(segments) + (isOpen && segments.length > 0 ? end.position : 0),
    })
  }

  #moveAnchor(state: ChainState): void {
    const { anchor, crypto, keys } = this.#options
    if (state.sequence === 0) return
    try {
      anchor?.write(encodeAnchor(crypto, keys, state))
    } catch {
      this.#onFinding({ kind: 'rollback', message: 'the anchor cannot be written: a rollback may go unnoticed' })
    }
  }
}

function rolledBack(message: string): AteError {
  const hint = 'If an older copy was restored on purpose, it has to be accepted once.'
  return new AteError('CHAIN_ROLLED_BACK', message, { hint })
}

function bytesOf(segments: readonly SegmentEntry[]): number {
  return segments.reduce((sum, { closing }) => sum + (closing?.length ?? 0), 0)
}

/** The last batch: in the last segment, or in the one before when the last holds none yet. */
function headOf(segments: readonly SegmentEntry[], { state, position, lastPosition }: ReplayEnd): LogPoint | undefined {
  const { sequence, digest } = state
  const last = segments.at(-1)
  const before = segments.at(-2)
  if (sequence === 0 || last === undefined) return undefined
  if (last.closing !== undefined) return { sequence, digest, segment: last.number, position: last.closing.length }
  if (lastPosition !== undefined) return { sequence, digest, segment: last.number, position }
  return before === undefined
    ? undefined
    : { sequence, digest, segment: before.number, position: before.closing?.length ?? 0 }
}
