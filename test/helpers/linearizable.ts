/** Whether a history can be put in an order that its times allow: the search of Wing and Gong, with a memory. */

export interface Timed {
  /** When it was asked for, and when it was answered; Infinity: nobody knows whether it has happened. */
  readonly from: number
  readonly to: number
}

/** What an object is: `step` gives its state behind an operation, undefined when that cannot have had its outcome. */
export interface Model<O extends Timed> {
  readonly initial: string
  readonly step: (state: string, operation: O) => string | undefined
}

export function isLinearizable<O extends Timed>(history: readonly O[], { initial, step }: Model<O>): boolean {
  const failed = new Set<string>()
  const byTime = history.toSorted((a, b) => a.from - b.from)
  /** `done[i]` is 1 for those that have their place. */
  const isPossible = (done: string, state: string): boolean => {
    const left = byTime.flatMap((operation, i) => (done[i] === '1' ? [] : [{ operation, i }]))
    if (left.every(({ operation }) => operation.to === Infinity)) return true
    const known = `${done}|${state}`
    if (failed.has(known)) return false
    const earliestEnd = Math.min(...left.map(({ operation }) => operation.to))
    for (const { operation, i } of left) {
      if (operation.from > earliestEnd) break
      const next = step(state, operation)
      if (next !== undefined && isPossible(`${done.slice(0, i)}1${done.slice(i + 1)}`, next)) return true
    }
    failed.add(known)
    return false
  }
  return isPossible('0'.repeat(byTime.length), initial)
}

/** What was asked of an object, and what came of it; `outcome` of what nobody knows the end of is undefined. */
export interface Operation extends Timed {
  readonly kind: 'read' | 'write' | 'has' | 'add' | 'remove' | 'push' | 'take'
  readonly value: string
  readonly outcome: string | boolean | undefined
}

const isAsKnown = ({ outcome }: Operation, actual: string | boolean): boolean =>
  outcome === undefined || outcome === actual

/** Reads and writes of one value. */
export const registerModel: Model<Operation> = {
  initial: '',
  step: (state, operation) => {
    if (operation.kind === 'write') return operation.value
    return isAsKnown(operation, state) ? state : undefined
  },
}

/** `add` and `remove` tell whether that changed anything. Members lie between commas. */
export const setModel: Model<Operation> = {
  initial: ',',
  step: (state, operation) => {
    const { kind, value } = operation
    const isIn = state.includes(`,${value},`)
    if (!isAsKnown(operation, kind === 'add' ? !isIn : isIn)) return undefined
    if (kind === 'add' && !isIn) return `,${[...state.split(',').filter(Boolean), value].sort().join()},`
    return kind === 'remove' ? state.replace(`,${value},`, ',') : state
  },
}

/** First in, first out. Of an empty one '' is taken. */
export const queueModel: Model<Operation> = {
  initial: '',
  step: (state, operation) => {
    const items = state === '' ? [] : state.split(',')
    if (operation.kind === 'push') return [...items, operation.value].join()
    const [first = '', ...rest] = items
    return isAsKnown(operation, first) ? rest.join() : undefined
  },
}
