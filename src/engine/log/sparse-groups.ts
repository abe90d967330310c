/** The groups of a batch of which some are not there: nothing is held for those. */

/** Groups side by side that are not there. */
export interface Gap {
  /** From the first byte of all groups on. */
  readonly at: number
  readonly length: number
  /** Bytes of the gaps before it. */
  readonly before: number
}

export interface SparseGroups {
  /** Those that are there, one after another. */
  readonly groups: { readonly length: number }
  /** Ascending, not touching. Undefined: all are there. */
  readonly gaps?: readonly Gap[] | undefined
}

/** The gaps of a batch with groups of these sizes, where those are not there that `isMissing` says. */
export function gapsOf(sizes: readonly number[], isMissing: (index: number) => boolean): Gap[] {
  const gaps: { at: number; length: number; before: number }[] = []
  let [at, before] = [0, 0]
  for (const [index, length] of sizes.entries()) {
    if (isMissing(index)) {
      const last = gaps.at(-1)
      if (last !== undefined && last.at + last.length === at) last.length += length
      else gaps.push({ at, length, before })
      before += length
    }
    at += length
  }
  return gaps
}

/** Bytes of all groups, of those that are not there too. */
export function groupBytesOf({ groups, gaps }: SparseGroups): number {
  return groups.length + missingBytes(gaps)
}

export function missingBytes(gaps: readonly Gap[] = []): number {
  const last = gaps.at(-1)
  return last === undefined ? 0 : last.before + last.length
}

/** A view of [at, at + length) of all groups; undefined when any of it is not there. */
export function groupsAt(
  { groups, gaps = [] }: { readonly groups: Uint8Array } & SparseGroups,
  at: number,
  length: number,
): Uint8Array | undefined {
  const next = firstBehind(gaps, at)
  const previous = gaps[next - 1]
  if (previous !== undefined && previous.at + previous.length > at) return undefined
  if ((gaps[next]?.at ?? Infinity) < at + length) return undefined
  const from = at - missingBytes(gaps.slice(Math.max(0, next - 1), next))
  return groups.subarray(from, from + length)
}

/** What is there, with its place among all groups. */
export function* presentPieces({
  groups,
  gaps = [],
}: { readonly groups: Uint8Array } & SparseGroups): Generator<{ at: number; bytes: Uint8Array }> {
  let [from, at] = [0, 0]
  for (const gap of gaps) {
    const length = gap.at - at
    if (length > 0) yield { at, bytes: groups.subarray(from, from + length) }
    from += length
    at = gap.at + gap.length
  }
  if (from < groups.length) yield { at, bytes: groups.subarray(from) }
}

/** Index of the first gap that begins behind `at`. */
function firstBehind(gaps: readonly Gap[], at: number): number {
  let [from, to] = [0, gaps.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((gaps[middle]?.at ?? 0) <= at) from = middle + 1
    else to = middle
  }
  return from
}
