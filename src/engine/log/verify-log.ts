/**
 * Reads all of a log and tells everything that is wrong with it: what `atefs fsck` says of the log. Bad bytes never stop
 * it. Without a manifest that verifies, it reads whatever segments there are.
 */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { errorCode } from '../error.js'
import { AnchorCheck } from './anchor-check.js'
import { authorFor } from './batch-author.js'
import { type Judged, NOTHING_JUDGED } from './doubts.js'
import { type Manifest, mayMissIn, type SegmentEntry } from './format/manifest-format.js'
import { segmentName } from './format/segment-name.js'
import { FORMAT_FOUND } from './format/feature-flags.js'
import { foundForgotten, foundSegments } from './found-segments.js'
import { findLeftovers } from './leftovers.js'
import { ManifestFile } from './manifest-file.js'
import { readAnchor } from './read-anchor.js'
import { Replay } from './replay.js'
import { START_OF_LOG } from './start-point.js'
import type { LogStorage } from './storage.js'
import type { AnchorStore, Finding, ReplayedBatch } from './types.js'

export interface VerifyLogOptions {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  /** Only read; the caller closes it. */
  anchor?: AnchorStore | undefined
  /**
   * In distributed trust: sequences of the batches that every reader refuses. What they drop is needed still, and of what they bring
   * nothing is. Without it every drop counts.
   */
  refused?: ReadonlySet<number> | undefined
  /** Called with every readable batch in order, for checks of what it holds. */
  onBatch?: ((batch: ReplayedBatch) => void | Promise<void>) | undefined
  onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined
}

/**
 * Verifies manifest, segments, frames, digests, seals, links, authors and anchor. Nothing is changed. Throws only for a
 * storage that cannot be listed, or NOT_A_CHAIN.
 */
export async function* verifyLog(options: VerifyLogOptions): AsyncGenerator<Finding> {
  const { storage, crypto, keys, refused, onBatch, onProgress } = options
  const findings: Finding[] = []
  const onFinding = (finding: Finding): unknown => findings.push(finding)
  const listed = await listSegments(options, onFinding)
  const { segments } = listed
  const anchored = new AnchorCheck(await readAnchor(options, onFinding))
  yield* findings.splice(0)
  const known = refused === undefined ? undefined : new KnownJudgement(refused)
  let totalBytes = 0
  for (const segment of segments) totalBytes += await bytesOf(storage, segment)
  const replay = new Replay({
    storage,
    judge: { crypto, keys, author: authorFor(listed.format, crypto, keys.author) },
    segments,
    start: START_OF_LOG,
    durableSequence: anchored.durableSequence,
    isTolerant: true,
    opensContent: true,
    mayMiss: (segment) => mayMissIn(listed, segment),
    forgotten: listed.forgotten?.sequence ?? 0,
    onBatch: (batch) => {
      anchored.noteState(batch)
      known?.note(batch)
      return onBatch?.(batch)
    },
    judged: known && (() => known.take()),
    onFinding: (finding) => void findings.push(finding),
    onProgress: (doneBytes) => onProgress?.(doneBytes, Math.max(totalBytes, doneBytes)),
  })
  for (const index of segments.keys()) {
    await replay.segment(index)
    yield* findings.splice(0)
  }
  const end = await replay.finish()
  yield* findings
  const problem = anchored.problem(segments, end.state)
  if (problem !== undefined) yield { kind: 'rollback', message: problem, sequence: anchored.durableSequence }
}

/** What was judged before, told again as the batches are read. */
class KnownJudgement {
  readonly #refused: ReadonlySet<number>
  #judged: Judged = NOTHING_JUDGED

  constructor(refused: ReadonlySet<number>) {
    this.#refused = refused
  }

  note({ sequence, dropped }: ReplayedBatch): void {
    const isRefused = this.#refused.has(sequence)
    this.#judged = { dropped: isRefused ? [] : dropped, refused: isRefused ? [sequence] : [] }
  }

  take(): Judged {
    const judged = this.#judged
    this.#judged = NOTHING_JUDGED
    return judged
  }
}

/** For the progress: with the reserved space of a segment that was left open, which is read too. */
async function bytesOf(storage: LogStorage, { number, closing }: SegmentEntry): Promise<number> {
  if (closing !== undefined) return closing.length
  try {
    const file = await storage.openSegment(segmentName(number), 'read')
    return await file.size().finally(() => file.close())
  } catch {
    // What is wrong with it is told when it is to be read.
    return 0
  }
}

/** What the manifest lists, or, when it does not verify, all segment files there are. */
async function listSegments(
  { storage, crypto, keys }: VerifyLogOptions,
  onFinding: (finding: Finding) => unknown,
): Promise<Pick<Manifest, 'segments' | 'format' | 'forgotten'>> {
  const names = await storage.list()
  try {
    const { current } = await ManifestFile.load(storage, crypto, keys)
    const { segments } = current
    const { findings } = await findLeftovers({ storage, crypto, keys }, names, segments)
    // A listed segment that is missing is told when it is to be read.
    for (const finding of findings) if (finding.kind === 'manifest') onFinding(finding)
    return current
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const isMissing = errorCode(error) === 'NOT_A_CHAIN'
    const segments = await foundSegments({ storage, crypto, keys }, names)
    if (isMissing && segments.length === 0) throw error
    onFinding({ kind: 'manifest', message: isMissing ? 'the manifest is missing' : error.message })
    return { segments, format: FORMAT_FOUND, forgotten: await foundForgotten({ storage, crypto, keys }, segments) }
  }
}
