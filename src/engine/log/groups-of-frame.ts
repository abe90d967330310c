/** The groups of a frame by its table, each with the place where it lies; nothing of them is read. */
import type { TableEntry } from './format/batch-header.js'
import type { StoredFrame } from './segment-scanner.js'

export function* groupsOf({
  head,
  bodyPosition,
}: Pick<StoredFrame, 'head' | 'bodyPosition'>): Generator<TableEntry & { readonly position: number }> {
  let position = bodyPosition
  for (const entry of head.table) {
    yield { ...entry, position }
    position += entry.storedBytes
  }
}
