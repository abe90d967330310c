/** The groups of one frame, verified against its table; records and drops are opened. */
import { copyOf } from '../bytes/copy.js'
import { equalBytes } from '../bytes/equal.js'
import { AteError, isAteError } from '../error.js'
import { MAX_DROPPED_BODIES } from '../limits.js'
import type { BatchJudge } from './chain-state.js'
import type { Doubt } from './doubts.js'
import type { TableEntry } from './format/batch-header.js'
import { decodeDrop } from './format/drop-format.js'
import { decodeForget } from './format/forget-format.js'
import { readGroupHeader } from './format/group-header.js'
import { knownKind } from './format/group-kinds.js'
import { merkleLeaf } from './format/merkle.js'
import type { GroupOpener } from './group-opener.js'
import type { StoredFrame } from './segment-scanner.js'
import { type Finding, GROUP_CONTENT, GROUP_DROP, GROUP_FORGET, GROUP_RECORDS } from './types.js'
import type { GroupKind, GroupPlace, NumberRange } from './types.js'

export interface FrameSource {
  judge: BatchJudge
  opener: GroupOpener
  /** Opens content groups too: for fsck. */
  opensContent: boolean
  /** Groups of these kinds that are not what the table says are in doubt only. */
  mayMiss: readonly GroupKind[]
  /** Records of batches up to this one are not looked at. */
  forgotten: number
  segment: number
  /** Undefined: those bytes are not there. */
  scanner: { bytes: (position: number, length: number) => Promise<Uint8Array | undefined> }
  frame: Pick<StoredFrame, 'head' | 'bodyPosition'>
}

export interface ReadGroups {
  groups: GroupPlace[]
  records: Uint8Array[]
  dropped: NumberRange[]
  /** As in ReplayedBatch. */
  forgets: number
  /** `isTear`: a crash can leave this. `doubt`: it is content. */
  problems: { finding: Finding; isTear: boolean; doubt?: Doubt }[]
  /** Damage, or what a later batch drops or forgets. */
  doubts: Doubt[]
}

export async function readGroups(source: FrameSource): Promise<ReadGroups> {
  const { scanner, frame, judge } = source
  const result: ReadGroups = { groups: [], records: [], dropped: [], forgets: 0, problems: [], doubts: [] }
  let position = frame.bodyPosition
  for (const entry of frame.head.table) {
    const kind = kindOf(entry, frame.head.link.sequence)
    if (kind === GROUP_RECORDS && frame.head.link.sequence <= source.forgotten) {
      result.groups.push(placeOf(source.segment, position, kind, entry, undefined))
      position += entry.storedBytes
      continue
    }
    const stored = await scanner.bytes(position, entry.storedBytes)
    const isWhole = stored !== undefined && equalBytes(merkleLeaf(judge.crypto, stored), entry.digest)
    if (kind !== undefined)
      result.groups.push(placeOf(source.segment, position, kind, entry, isWhole ? stored : undefined))
    if (!isWhole) noteDamage(result, source, position, entry, kind)
    else if (kind !== undefined) open(result, source, position, kind, entry.number, stored)
    position += entry.storedBytes
  }
  return result
}

function placeOf(
  segment: number,
  position: number,
  kind: GroupKind,
  { number, storedBytes, digest }: TableEntry,
  stored: Uint8Array | undefined,
): GroupPlace {
  const random = stored === undefined ? 0 : (readGroupHeader(stored)?.random ?? 0)
  return { kind, number, random, segment, position, storedBytes, digest: copyOf(digest) }
}

function findingAt(
  { segment, frame }: FrameSource,
  position: number,
  group: number,
  message: string,
): Doubt['finding'] {
  return { kind: 'group', message, segment, position, sequence: frame.head.link.sequence, group }
}

function noteDamage(
  result: ReadGroups,
  source: FrameSource,
  position: number,
  { number, storedBytes }: TableEntry,
  kind: GroupKind | undefined,
): void {
  const finding = findingAt(source, position, number, 'the group has another digest than its batch says')
  const doubt = kind === undefined ? undefined : { kind, number, storedBytes, finding }
  if (doubt !== undefined && source.mayMiss.includes(doubt.kind)) result.doubts.push(doubt)
  else result.problems.push({ finding, isTear: true, ...(doubt?.kind === GROUP_CONTENT ? { doubt } : {}) })
}

function open(
  result: ReadGroups,
  source: FrameSource,
  position: number,
  kind: GroupKind,
  number: number,
  stored: Uint8Array,
): void {
  if (kind === GROUP_CONTENT && !source.opensContent) return
  if (source.judge.isKeyless === true) return
  const report = (message: string): void => {
    result.problems.push({ finding: findingAt(source, position, number, message), isTear: false })
  }
  const opened = source.opener.open(stored, { kind, number })
  if (opened === undefined) report('the group does not open')
  else if (kind === GROUP_RECORDS) result.records.push(opened)
  else {
    try {
      // Beyond that it is nothing that a compaction writes: whoever judges the batch refuses it.
      if (kind === GROUP_DROP && result.dropped.length <= MAX_DROPPED_BODIES) result.dropped.push(...decodeDrop(opened))
      if (kind === GROUP_FORGET) {
        const sequence = decodeForget(opened, source.frame.head.link.sequence)
        result.forgets = Math.max(result.forgets, sequence)
      }
    } catch (error) {
      if (!isAteError(error)) throw error
      report(error.message)
    }
  }
}

/** Unknown kinds are skipped unless they are critical. */
function kindOf({ kind, flags }: TableEntry, sequence: number): GroupKind | undefined {
  const known = knownKind(kind, flags)
  if (known !== undefined || flags === 0) return known
  throw new AteError(
    'UNSUPPORTED_FORMAT',
    `Batch ${sequence} holds a kind of group (${kind}) that is not known here.`,
    {
      hint: 'Use the newer atefs that wrote it.',
    },
  )
}
