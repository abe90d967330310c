/**
 * A set of numbers in ascending order that stays cheap to change when it is large: sorted runs of bounded length, so that
 * an insertion moves a few hundred numbers, not all.
 */
const RUN_LENGTH = 512

export class SortedNumbers {
  #runs: number[][]

  constructor(values: Iterable<number> = []) {
    const sorted = new Float64Array([...values]).sort()
    this.#runs = []
    for (let at = 0; at < sorted.length; at += RUN_LENGTH / 2)
      this.#runs.push(Array.from(sorted.subarray(at, at + RUN_LENGTH / 2)))
  }

  /** A value that is there already is not added again. */
  add(value: number): void {
    const at = Math.max(0, this.#runOf(value))
    const run = this.#runs[at]
    if (run === undefined) {
      this.#runs.push([value])
      return
    }
    const position = lowerBound(run, value)
    if (run[position] === value) return
    if (position === run.length) run.push(value)
    else run.splice(position, 0, value)
    if (run.length > RUN_LENGTH) this.#split(at)
  }

  delete(value: number): void {
    const at = this.#runOf(value)
    const run = this.#runs[at]
    if (run === undefined) return
    const position = lowerBound(run, value)
    if (run[position] !== value) return
    run.splice(position, 1)
    if (run.length === 0) this.#runs.splice(at, 1)
  }

  /** The greatest value <= `value`. */
  floor(value: number): number | undefined {
    const run = this.#runs[this.#runOf(value)]
    if (run === undefined) return undefined
    const position = lowerBound(run, value)
    return run[position] === value ? value : run[position - 1]
  }

  /** Values >= `from`, ascending, at most `limit`. */
  from(from: number, limit: number): number[] {
    const values: number[] = []
    let at = Math.max(0, this.#runOf(from))
    let position = lowerBound(this.#runs[at] ?? [], from)
    for (; at < this.#runs.length && values.length < limit; at++, position = 0) {
      const run = this.#runs[at] ?? []
      for (; position < run.length && values.length < limit; position++) values.push(run[position] ?? 0)
    }
    return values
  }

  #split(at: number): void {
    const run = this.#runs[at]
    if (run === undefined) return
    // Numbers are often added in order: a full run at the end stays full.
    const cut = at === this.#runs.length - 1 ? run.length - 1 : run.length >>> 1
    this.#runs.splice(at + 1, 0, run.splice(cut))
  }

  /** The run that holds `value` or would: the last one that begins at or below it; -1 when all begin above. */
  #runOf(value: number): number {
    let from = 0
    let to = this.#runs.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((this.#runs[middle]?.[0] ?? 0) <= value) from = middle + 1
      else to = middle
    }
    return from - 1
  }
}

/** Position of the first value >= `value`. */
function lowerBound(run: readonly number[], value: number): number {
  let from = 0
  let to = run.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((run[middle] ?? 0) < value) from = middle + 1
    else to = middle
  }
  return from
}
