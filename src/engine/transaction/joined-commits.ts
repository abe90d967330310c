/**
 * Commits that come faster than they are written go into the log together, as one batch: it is sealed, hashed, sent and verified
 * once. A commit that finds nothing under way waits for nobody who does not commit at the same moment.
 */
import type { RecordView } from '../chain/record-view.js'
import type { SigningKey } from '../crypto/signature.js'
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

interface Gathering {
  readonly inLog: Promise<void>
  readonly begun: (inLog: Promise<void>) => void
  isDurable: boolean
  /** Of who waits for others, if nobody waits for less. */
  taken: (() => Promise<void>) | undefined
  /** Records whose every state others are to see. */
  readonly records: Set<string>
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

  /** To be called before changes are applied: those that cannot go with what gathers have it go first. */
  makeWay({ changes, signers }: JoinedCommit): void {
    const gathering = this.#gathering
    if (gathering === undefined) return
    const isAgain = (): boolean => this.#keysOf(changes).some((key) => gathering.records.has(key))
    if (signers.length > 0 || isAgain()) this.flush()
  }

  /** Resolves when the changes that were applied are in the log, and durable if that was asked for. */
  commit(commit: JoinedCommit): Promise<void> {
    const { changes, isDurable, signers, taken } = commit
    if (signers.length > 0) return this.#begin(commit)
    const gathering = (this.#gathering ??= gather(taken))
    gathering.isDurable ||= isDurable
    gathering.taken &&= taken
    for (const key of this.#keysOf(changes)) gathering.records.add(key)
    if (this.#view.pendingBytes >= MAX_JOINED_BYTES) this.flush()
    else this.#goSoon()
    return gathering.inLog
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
    if (this.#gathering !== undefined && this.#mayGo(this.#gathering.taken)) this.flush()
  }

  #mayGo(taken: JoinedCommit['taken']): boolean {
    return this.#underWay === 0 && (taken === undefined || this.#onTheWay < MAX_ON_THE_WAY)
  }

  #begin({ isDurable, signers, taken }: Omit<JoinedCommit, 'changes'>): Promise<void> {
    this.#underWay++
    this.#onTheWay++
    const inLog = this.#view.commit({ isDurable, signers })
    const onTaken = (): void => {
      this.#onTheWay--
      this.#goOn()
    }
    const onLog = (others: Promise<void> | undefined): void => {
      this.#underWay--
      if (others === undefined) onTaken()
      else others.then(onTaken, onTaken)
      this.#goOn()
    }
    inLog.then(
      () => onLog(taken?.()),
      () => onLog(undefined),
    )
    return inLog
  }

  #keysOf(changes: RecordTransaction['changes']): string[] {
    const keys: string[] = []
    for (const { kind, high, low } of changes) if (this.#showsEach(kind)) keys.push(`${kind} ${high} ${low}`)
    return keys
  }
}

function gather(taken: JoinedCommit['taken']): Gathering {
  let begun: (inLog: Promise<void>) => void = () => undefined
  const inLog = new Promise<void>((resolve) => (begun = resolve))
  return { inLog, begun, isDurable: false, taken, records: new Set() }
}
