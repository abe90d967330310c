/** Whether a history of one register can be put in an order that its times allow: the search of Wing and Gong, with a memory. */

export interface Operation {
  readonly kind: 'read' | 'write'
  readonly value: string
  /** When it was asked for, and when it was answered; Infinity: nobody knows whether it has happened. */
  readonly from: number
  readonly to: number
}

export function isLinearizable(history: readonly Operation[], initial: string): boolean {
  const failed = new Set<string>()
  const isPossible = (done: ReadonlySet<number>, value: string): boolean => {
    const left = history.map((_, i) => i).filter((i) => !done.has(i))
    if (left.every((i) => history[i]?.to === Infinity)) return true
    const state = `${[...done].sort((a, b) => a - b).join()}|${value}`
    if (failed.has(state)) return false
    const earliestEnd = Math.min(...left.map((i) => history[i]?.to ?? Infinity))
    for (const i of left) {
      const operation = history[i]
      if (operation === undefined || operation.from > earliestEnd) continue
      if (operation.kind === 'read' && operation.value !== value) continue
      if (isPossible(new Set([...done, i]), operation.kind === 'write' ? operation.value : value)) return true
    }
    failed.add(state)
    return false
  }
  return isPossible(new Set(), initial)
}
