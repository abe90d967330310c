/**
 * Commits that come faster than they are written go into the log together, as one batch: it is sealed, hashed, sent and verified
 * once. A commit that finds nothing under way waits for nobody who does not commit at the same moment.
 */
import type { CommitView, RecordView } from '../chain/record-view.js'
import type { SigningKey } from '../crypto/signature.js'
import { AteError } from '../error.js'
import type { RecordTransaction } from './record-transaction.js'

/** Batches that others have not taken: while that many are on their way, those to come gather. */
const MAX_ON_THE_WAY = 2
/** A batch is sent and taken in as a whole: large ones would keep others waiting. */
const MAX_JOINED_BYTES = 256 * 1024

export interface JoinedCommit {
  readonly changes: RecordTransaction['changes']
  readonly isDurable: boolean
  readonly signers: readonly SigningKey[]
  /** Resolves when others have taken all that is in the log, for a commit that waits for that. */
  readonly taken: (() => Promise<void>) | undefined
}

/** What became of a commit, the same for all that went into the log together. */
export interface Joined {
  readonly inLog: Promise<void>
  /** Others have taken it: of use to who asked for that. */
  readonly taken: Promise<void>
}

interface Gathering {
  readonly joined: Joined
  readonly begun: (joined: Joined) => void
  isDurable: boolean
  /** Of somebody who waits for others. */
  taken: (() => Promise<void>) | undefined
  /** Nobody waits for less than that others have taken it. */
  isPatient: boolean
  /** Marks of records whose every state others are to see. */
  readonly marks: Set<number>
}

export class JoinedCommits {
  readonly #view: RecordView
  readonly #showsEach: (kind: number) => boolean
  #underWay = 0
  #onTheWay = 0
  #gathering: Gathering | undefined
  #isGoing = false

  /** `showsEach`: who follows the chain sees each state of records of this kind; of others the last one does. */
  constructor(view: RecordView, showsEach: (kind: number) => boolean) {
    this.#view = view
    this.#showsEach = showsEach
  }

  /**
   * `apply` makes the changes part of the current transaction; those that they cannot go with have gone first. `inLog` resolves
   * when they are in the log, and durable if that was asked for.
   */
  commit(commit: JoinedCommit, apply: () => void): Joined {
    const { changes, isDurable, signers, taken } = commit
    const marks = this.#marksOf(changes)
    const before = this.#gathering?.marks
    if (signers.length > 0 || marks.some((mark) => before?.has(mark) === true)) this.flush()
    apply()
    if (signers.length > 0) return this.#begin({ ...commit, isPatient: taken !== undefined })
    const gathering = (this.#gathering ??= gather())
    gathering.isDurable ||= isDurable
    gathering.taken ??= taken
    gathering.isPatient &&= taken !== undefined
    for (const mark of marks) gathering.marks.add(mark)
    if (this.#view.pendingBytes >= MAX_JOINED_BYTES) this.flush()
    else this.#goSoon()
    return gathering.joined
  }

  /** What gathers goes to the log. */
  flush(): void {
    const gathering = this.#gathering
    this.#gathering = undefined
    gathering?.begun(this.#begin({ ...gathering, signers: [] }))
  }

  /** Behind those who have waited for the same as who commits now, and commit now too. */
  #goSoon(): void {
    if (this.#isGoing) return
    this.#isGoing = true
    queueMicrotask(() => {
      this.#isGoing = false
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#gathering !== undefined && this.#mayGo(this.#gathering)) this.flush()
  }

  #mayGo({ isPatient }: Gathering): boolean {
    return this.#underWay === 0 && (!isPatient || this.#onTheWay < MAX_ON_THE_WAY)
  }

  #begin({ isDurable, signers, taken, isPatient }: Omit<JoinedCommit, 'changes'> & { isPatient: boolean }): Joined {
    this.#underWay++
    this.#onTheWay++
    const inLog = this.#commit({ isDurable, signers })
    const others = inLog.then(() => taken?.())
    const onTaken = (): void => {
      this.#onTheWay--
      this.#goOn()
    }
    const onLog = (): void => {
      this.#underWay--
      if (!isPatient) onTaken()
      this.#goOn()
    }
    inLog.then(onLog, onLog)
    const onEnd = isPatient ? onTaken : (): void => undefined
    others.then(onEnd, onEnd)
    return { inLog, taken: others }
  }

  /** What it throws at once is told to all who wait for it, too. */
  #commit(options: CommitView): Promise<void> {
    try {
      return this.#view.commit(options)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new AteError('WRITE_FAILED', String(error)))
    }
  }

  #marksOf(changes: RecordTransaction['changes']): number[] {
    const marks: number[] = []
    for (const { kind, high, low } of changes) if (this.#showsEach(kind)) marks.push(markOf(kind, high, low))
    return marks
  }
}

/** Of 30 bits. Two records may have the same one: then commits that could go together go one by one. */
function markOf(kind: number, high: number, low: number): number {
  const upper = Math.imul(folded(high) ^ kind, 0x9e37_79b1)
  return (Math.imul(upper ^ (upper >>> 15) ^ folded(low), 0x85eb_ca6b) >>> 2) | 0
}

/** All 53 bits of it in 32. */
function folded(value: number): number {
  return value ^ (value / 2 ** 32)
}

function gather(): Gathering {
  let begun: (joined: Joined) => void = () => undefined
  const going = new Promise<Joined>((resolve) => (begun = resolve))
  const joined = { inLog: going.then(({ inLog }) => inLog), taken: going.then(({ taken }) => taken) }
  joined.taken.catch(() => undefined) // who asked for it is told
  return { joined, begun, isDurable: false, taken: undefined, isPatient: true, marks: new Set() }
}
