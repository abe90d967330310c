/**
 * Finds out which operations a crash left: the state found must be that after some first part of them, the part must hold
 * every operation that an fsync covered, and of several writers no one may lose an operation that was answered before
 * one that another kept was even asked.
 */
import { Model } from './model.js'
import { describe, isUnanswered, type Operation } from './operation-log.js'

export interface Survived {
  /** The least and the greatest number of operations that give the state found: some operations change nothing. */
  least: number
  most: number
}

/** Lines of `crash-writer dump` without the inode numbers, which a model cannot know. */
export function comparableDump(text: string): string[] {
  const lines = text.trimEnd() === '' ? [] : text.trimEnd().split('\n')
  return lines
    .map((line) =>
      line
        .split(' ')
        .filter((_, column) => column !== 4)
        .join(' '),
    )
    .sort()
}

/** The number of operations that an fsync made durable. */
export function durableCount(operations: readonly Operation[]): number {
  return operations.findLastIndex(({ name, errno }) => name === 'fsync' && errno === 0) + 1
}

/**
 * How many of the operations survived. Throws with the nearest state when no prefix gives what was found. Operations
 * before `settled` are known to have survived earlier crashes.
 */
export function findPrefix(operations: readonly Operation[], found: readonly string[], settled: number): Survived {
  const durable = Math.max(durableCount(operations), settled)
  const wanted = found.join('\n')
  const matches: number[] = []
  for (const { count, lines } of statesFrom(operations, durable)) if (lines.join('\n') === wanted) matches.push(count)
  const least = matches[0]
  const most = matches.at(-1)
  if (least === undefined || most === undefined) {
    const context = operations.slice(-5).map(describe).join('; ')
    throw new Error(
      `no prefix of ${durable} to ${operations.length} operations gives what was found: ${nearest(operations, found, durable)}; last: ${context}`,
    )
  }
  return { least, most }
}

/** What there is after each number of operations from `durable` on. */
function* statesFrom(
  operations: readonly Operation[],
  durable: number,
): Generator<{ count: number; lines: readonly string[] }> {
  const model = new Model()
  for (let count = 0; count <= operations.length; count++) {
    const last = operations[count - 1]
    if (last !== undefined && (last.errno === 0 || isUnanswered(last))) applyLast(model, last)
    if (count >= durable) yield { count, lines: model.lines() }
  }
}

/** An answered operation must be possible; one without an answer may not have been. */
function applyLast(model: Model, operation: Operation): void {
  try {
    model.apply(operation)
  } catch (error) {
    if (!isUnanswered(operation)) throw new Error(`answered, but impossible: ${describe(operation)}`, { cause: error })
  }
}

/** The state that differs least from the one found: for people, when none is that. */
function nearest(operations: readonly Operation[], found: readonly string[], durable: number): string {
  let least = { differences: Infinity, text: '' }
  for (const { count, lines } of statesFrom(operations, durable)) {
    const missing = lines.filter((line) => !found.includes(line))
    const extra = found.filter((line) => !lines.includes(line))
    const differences = missing.length + extra.length
    if (differences >= least.differences) continue
    const text = `after ${count}, missing ${missing.slice(0, 4).join(' | ')}, found ${extra.slice(0, 4).join(' | ')}`
    least = { differences, text }
  }
  return least.text
}

/** The writers share one history: an operation lost by one must not have been answered before one kept by another began. */
export function checkOrder(writers: readonly { operations: readonly Operation[]; survived: Survived }[]): void {
  for (const { operations: kept, survived } of writers) {
    const lastKept = kept[survived.least - 1]
    if (lastKept === undefined) continue
    for (const { operations: others, survived: theirs } of writers) {
      const firstLost = others.slice(theirs.most).find(({ errno }) => errno === 0)
      if (firstLost !== undefined && firstLost.afterNs < lastKept.beforeNs) {
        throw new Error(`${describe(firstLost)} was lost, though answered before ${describe(lastKept)} was asked`)
      }
    }
  }
}
