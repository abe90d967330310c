/**
 * Which numbers groups have had. Those of a batch that is refused are not given out again either: who had not refused it yet may have
 * taken them for bodies of the chain. But who may write nothing must not be able to use all numbers up.
 */
import type { GroupPlace } from '../log/types.js'

/** How far the numbers of a refused batch may go beyond those before it. An honest writer's follow each other. */
const MAX_REFUSED_AHEAD = 1 << 20

type Numbered = Pick<GroupPlace, 'number'>

/** First number that no group has, where `next` was that before the batch. Every reader comes to the same. */
export function numberBehind(next: number, groups: readonly Numbered[], isRefused = false): number {
  const end = isRefused ? next + MAX_REFUSED_AHEAD : Infinity
  return groups.reduce((behind, { number }) => (number < end ? Math.max(behind, number + 1) : behind), next)
}
