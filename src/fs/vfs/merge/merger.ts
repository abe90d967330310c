/**
 * Brings what was set aside together with what others have made since: everything that only one side changed is taken, and where
 * both did both are kept, under two names. See docs/architecture.md.
 */
import type { Admission } from '../commits/admission.js'
import type { Commits } from '../commits/commits.js'
import type { Receiver } from '../elsewhere/receiver.js'
import type { UnusedInodes } from '../inodes/unused-inodes.js'
import type { Links } from '../links.js'
import { ONLY_WRITER } from '../records/orphan-record.js'
import { decodeMerged, encodeMerged } from '../records/merged-record.js'
import { KIND_MERGED } from '../records/record-kinds.js'
import type { FileSystemState } from '../state.js'
import { ROOT_INO, type ChangedElsewhere, type Ino } from '../types.js'
import { equalBytes } from '../../../engine/bytes/equal.js'
import { AteError } from '../../../engine/error.js'
import { compareContents, lackingContents } from './wanted-contents.js'
import { MadeInodes } from './made-inodes.js'
import { MergedDirectories } from './merged-directories.js'
import { MergedFiles } from './merged-files.js'
import { MergedNames } from './merged-names.js'
import { PreparedContents } from './prepared-contents.js'
import { type Tail, type TailChanges, tailChanges } from './tail.js'

/** What the merge adds to the log beside what is copied: for each name and inode. */
const CHANGE_BYTES = 1024
/** Others may delete meanwhile what is then to be copied. */
const ROUNDS = 100

export interface MergeParts {
  readonly state: FileSystemState
  readonly links: Links
  readonly admission: Admission
  readonly unused: UnusedInodes
  readonly receiver: Receiver
  readonly commits: Commits
  /** Which of the chain's writers this is. */
  readonly writer: number | undefined
}

export interface MergeReport {
  /** Versions that are kept beside others. */
  conflicts: number
  /** Names and inodes that could not be brought together: their records are damaged. */
  failures: number
  /** Inodes made there that have the same number here. */
  kept: ReadonlySet<Ino>
}

type Merge = [
  tail: Tail,
  changes: TailChanges,
  parts: { made: MadeInodes; contents: PreparedContents; letGo: (ino: Ino) => void },
]

export class Merger {
  readonly #parts: MergeParts

  constructor(parts: MergeParts) {
    this.#parts = parts
  }

  /**
   * All that is changed is in one transaction, durable when this resolves. Undefined: that tail was merged before. Rejects when
   * nothing may be changed here (READ_ONLY, ...), and with BAD_FORMAT for records that cannot be read: nothing is changed then.
   */
  async merge(tail: Tail): Promise<MergeReport | undefined> {
    const { state, admission, unused, commits, receiver } = this.#parts
    const changes = tailChanges(tail)
    const made = new MadeInodes(state, tail)
    const letGo = (ino: Ino): void => {
      if (state.references.subtract(ino, 1) === 0) unused.remove(ino)
    }
    const admitted = (bytes: number): Promise<void> => admission.admitted(bytes)
    const contents = new PreparedContents({ state, tail, made, admitted, letGo })
    try {
      if (!(await this.#prepare(tail, changes, contents))) return undefined
      const { changed, ...report } = this.#apply(tail, changes, { made, contents, letGo })
      receiver.onChanged(changed)
      return report
    } finally {
      contents.release()
      await commits.commit()
    }
  }

  /** Half of it would be merged again: it is never committed, and nothing else is after it. */
  #apply(...merge: Merge): ReturnType<typeof apply> {
    try {
      return apply(this.#parts, ...merge)
    } catch (error) {
      this.#parts.commits.giveUp(error)
      throw error
    }
  }

  /** False: it was merged before. When this resolves it is this machine's turn, up to the next turn of the event loop. */
  async #prepare(tail: Tail, changes: TailChanges, contents: PreparedContents): Promise<boolean> {
    const { state, admission } = this.#parts
    const room = CHANGE_BYTES * (changes.inodes.size + changes.added.length + changes.removed.length + 1)
    for (let round = 0; round < ROUNDS; round++) {
      await admission.admitted(room)
      if (isMerged(this.#parts, tail)) return false
      const lacking = lackingContents(state, tail, changes, contents)
      if (lacking.length === 0) return true
      for (const ino of lacking) await contents.copy(ino)
      await compareContents(state, tail, changes, contents)
    }
    throw new AteError('TIMED_OUT', 'Others delete what is to be kept faster than it is copied.')
  }
}

function isMerged({ state, writer = ONLY_WRITER }: MergeParts, { digest }: Tail): boolean {
  const record = state.view.get(KIND_MERGED, 0, writer)
  return record !== undefined && equalBytes(decodeMerged(record), digest)
}

/** In one go: nothing else happens meanwhile, and a crash leaves all of it or nothing. */
function apply(
  { state, links, writer = ONLY_WRITER }: MergeParts,
  ...[tail, changes, { made, contents, letGo }]: Merge
): MergeReport & { changed: ChangedElsewhere } {
  const names = new MergedNames(state, tail.label)
  const directories = new MergedDirectories({ state, links, tail, made, names })
  const files = new MergedFiles({ state, links, tail, made, names, directories, contents, letGo })
  const failures = files.run(changes)
  state.view.put(KIND_MERGED, 0, writer, encodeMerged(tail.digest))
  for (const { parent, name } of [...changes.added, ...changes.removed]) names.note(parent, name)
  const isKnown = (ino: Ino): boolean => ino === ROOT_INO || state.references.get(ino) > 0
  const parents = new Set([...changes.directories, ...names.changed.map(({ parent }) => parent)])
  const inodes = [...new Set([...changes.inodes, ...parents])].filter(isKnown)
  const changed = {
    entries: names.changed.filter(({ parent }) => isKnown(parent)),
    directories: [...parents].filter(isKnown),
    inodes: inodes.map((ino) => ({ ino, content: { from: 0, to: Number.MAX_SAFE_INTEGER } })),
  }
  return { conflicts: names.conflicts, failures, changed, kept: made.kept }
}
