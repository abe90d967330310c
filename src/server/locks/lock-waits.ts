/** Those who wait for a lock that others have, in the order of asking. */
import type { LockOutcome } from '../../sync/index.js'
import type { RangeLock } from '../../sync/range-locks.js'

export interface Wait<Session> {
  readonly session: Session
  readonly file: string
  readonly wanted: RangeLock
  readonly ticket: number
  readonly detects: boolean
  readonly settle: (outcome: LockOutcome) => void
}

/** Who waits behind longer chains than that is not found. */
const MAX_STEPS = 100

export class LockWaits<Session> {
  #waits: Wait<Session>[] = []

  countOf(session: Session): number {
    return this.#waits.filter((wait) => wait.session === session).length
  }

  add(wait: Wait<Session>): void {
    this.#waits.push(wait)
  }

  /** Those of a file who have it now (`take`) wait no more. True when there were any. */
  grant(file: string, take: (wait: Wait<Session>) => boolean): boolean {
    const granted = this.#waits.filter((wait) => wait.file === file && take(wait))
    for (const wait of granted) this.#end(wait, 'granted')
    return granted.length > 0
  }

  /** All of a session, or those with that ticket. */
  giveUp(session: Session, ticket?: number): void {
    for (const wait of this.#waits)
      if (wait.session === session && (ticket === undefined || wait.ticket === ticket)) this.#end(wait, 'given-up')
  }

  giveUpAll(): void {
    for (const wait of this.#waits) this.#end(wait, 'given-up')
  }

  /** True when whoever has what is wanted waits, through others or not, for who wants it. `blockers`: the owners who have it. */
  wouldDeadlock(wanting: Wait<Session>, blockers: (wait: Wait<Session>) => readonly string[]): boolean {
    const seen = new Set<string>()
    const next = [...blockers(wanting)]
    for (let owner = next.pop(); owner !== undefined && seen.size < MAX_STEPS; owner = next.pop()) {
      if (owner === wanting.wanted.owner) return true
      if (seen.has(owner)) continue
      seen.add(owner)
      for (const wait of this.#waits) if (wait.detects && wait.wanted.owner === owner) next.push(...blockers(wait))
    }
    return false
  }

  #end(wait: Wait<Session>, outcome: LockOutcome): void {
    this.#waits = this.#waits.filter((each) => each !== wait)
    wait.settle(outcome)
  }
}
