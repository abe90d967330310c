/** Every moment at which the power can fail or a process be killed, from the operations that a FaultStorage recorded. */
import { progressOf } from '../progress.js'
import { mediumAfter, type Luck, type Operation, type SimulatedFile } from '../fault-storage.js'

/** Bytes of a write that are done: so many, such a part, or all but so many. */
const WRITE_CUTS = [1, 17, 100, 0.3, 0.7, -1]

/** Beginnings of the history: up to each operation, and into each write. Marks belong to the operation before them. */
export function* cuts(operations: readonly Operation[]): Generator<readonly Operation[]> {
  const step = progressOf('cuts of a history', operations.length)
  for (let count = 0; count <= operations.length; count++) {
    step()
    const done = operations.slice(0, count)
    const next = operations[count]
    if (next?.kind === 'mark') continue
    yield done
    if (next?.kind !== 'write') continue
    const { length } = next.bytes
    const lengths = WRITE_CUTS.map((cut) => (cut < 0 ? length + cut : cut < 1 ? Math.floor(length * cut) : cut))
    for (const cut of new Set(lengths)) {
      if (cut > 0 && cut < length) yield [...done, { ...next, bytes: next.bytes.subarray(0, cut) }]
    }
  }
}

export interface PowerFailure {
  what: string
  /** What was asked for before it. */
  operations: readonly Operation[]
  luck: Luck
  files: Map<string, SimulatedFile>
}

/** Every cut, with every luck of what was not synced, or with one of them in turn. */
export function* powerFailures(
  operations: readonly Operation[],
  random: () => number,
  withEveryLuck: boolean,
): Generator<PowerFailure> {
  const lucks: [string, Luck][] = [
    ['nothing unsynced', 'none'],
    ['all', 'all'],
    ['some', random],
    ['other', random],
  ]
  let turn = 0
  for (const done of cuts(operations)) {
    turn++
    for (const [name, luck] of withEveryLuck ? lucks : lucks.slice(turn % 4, (turn % 4) + 1)) {
      const what = `operation ${done.length}, ${name} written`
      yield { what, operations: done, luck, files: mediumAfter(done, luck) }
    }
  }
}

/** The note of the last mark. */
export function lastNoteOf(operations: readonly Operation[]): unknown {
  const mark = operations.findLast((operation) => operation.kind === 'mark')
  return mark?.note
}
