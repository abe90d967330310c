/** Numbers of bodies that are dropped, from several batches. */
import type { NumberRange } from './types.js'

/** The same numbers in ascending ranges that do not touch. */
export function mergedRanges(ranges: readonly NumberRange[]): NumberRange[] {
  const merged: NumberRange[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + 1)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, to) }
    else merged.push({ from, to })
  }
  return merged
}
