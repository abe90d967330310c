/**
 * Groups whose bytes are not what their batch says, where that may be: damage, unless a later batch drops them or, of records,
 * forgets them. Content is kept in runs, for a chain may have dropped most of what was ever written.
 */
import { type Finding, GROUP_RECORDS, type GroupKind, type NumberRange } from './types.js'

export interface Doubt {
  kind: GroupKind
  number: number
  storedBytes: number
  /** As it is told when nothing drops the group. */
  finding: Finding & { segment: number; position: number; sequence: number }
}

/** Groups that follow each other in number and place. */
interface Run {
  first: Doubt
  from: number
  to: number
}

/** What became of batches that were judged. */
export interface Judged {
  /** What those drop that count. */
  readonly dropped: readonly NumberRange[]
  /** Sequences of those that count for nothing. */
  readonly refused: readonly number[]
}

export const NOTHING_JUDGED: Judged = { dropped: [], refused: [] }

export class Doubts {
  /** In ascending order of numbers. */
  readonly #runs: Run[] = []
  readonly #refused = new Set<number>()
  /** Records are forgotten from the first on: one of them stands for all. */
  #records: { first: Doubt; lastSequence: number } | undefined

  add(doubt: Doubt): void {
    const { kind, number } = doubt
    if (kind === GROUP_RECORDS) {
      this.#records = { first: this.#records?.first ?? doubt, lastSequence: doubt.finding.sequence }
      return
    }
    const last = this.#runs.at(-1)
    if (last !== undefined && continues(last, doubt)) last.to = number
    else if (last === undefined || last.to < number) this.#runs.push({ first: doubt, from: number, to: number })
    else this.#runs.splice(this.#firstReaching(number), 0, { first: doubt, from: number, to: number })
  }

  /** A drop names these groups. */
  settle({ from, to }: NumberRange): void {
    const start = this.#firstReaching(from)
    let end = start
    const kept: Run[] = []
    for (let run = this.#runs[end]; run !== undefined && run.from <= to; run = this.#runs[++end]) {
      if (run.from < from) kept.push({ ...run, to: from - 1 })
      if (run.to > to) kept.push({ ...run, from: to + 1 })
    }
    if (end > start) this.#runs.splice(start, end - start, ...kept)
  }

  /** Nothing of the batch is needed. */
  refuse(sequence: number): void {
    this.#refused.add(sequence)
  }

  /** A batch forgets the records of those up to `sequence`. */
  forget(sequence: number): void {
    if (this.#records !== undefined && sequence >= this.#records.lastSequence) this.#records = undefined
  }

  /** What nothing dropped or forgot. */
  *left(): Generator<Finding> {
    if (this.#records !== undefined) {
      const { finding, number } = this.#records.first
      yield { ...finding, group: number }
    }
    for (const { first, from, to } of this.#runs) {
      const { finding, number, storedBytes } = first
      if (this.#refused.has(finding.sequence)) continue
      for (let group = from; group <= to; group++)
        yield { ...finding, group, position: finding.position + (group - number) * storedBytes }
    }
  }

  /** Index of the first run that ends at or behind `number`. */
  #firstReaching(number: number): number {
    let from = 0
    let to = this.#runs.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((this.#runs[middle]?.to ?? 0) < number) from = middle + 1
      else to = middle
    }
    return from
  }
}

function continues({ first, to }: Run, { number, storedBytes, finding }: Doubt): boolean {
  const { segment, sequence, position } = first.finding
  return (
    number === to + 1 &&
    storedBytes === first.storedBytes &&
    segment === finding.segment &&
    sequence === finding.sequence &&
    finding.position === position + (number - first.number) * storedBytes
  )
}
