/**
 * Where what was cut off a copy of a chain lies: exports, and copies as they were, `<first>-<last>.chain`. One that a crash left
 * there before it was exchanged ends before `<last>`, and means nothing.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const NAME = /^(\d+)-(\d+)\.chain(-\d+)?$/

/** A copy as it was, and which of its batches were cut off. */
export interface SetAsideCopy {
  readonly path: string
  readonly first: number
  readonly last: number
}

/** Of the copy in that directory. */
export function placeOf(directory: string): string {
  return `${directory}.set-aside`
}

/** In their order; none when nothing was ever set aside. */
export function setAsideCopies(directory: string): SetAsideCopy[] {
  const place = placeOf(directory)
  return namesIn(place)
    .flatMap((name) => {
      const [, first, last] = NAME.exec(name) ?? []
      return first === undefined || last === undefined
        ? []
        : [{ path: join(place, name), first: Number(first), last: Number(last) }]
    })
    .sort((a, b) => a.first - b.first)
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place)
  } catch {
    return []
  }
}
