/** Records in the order of their places, however many: they are read a page at a time, as they are asked for. */
import type { RecordReader } from '../transaction/record-reader.js'

const PAGE = 256
/** Greatest last part of a record's key. */
const MAX_LOW = Number.MAX_SAFE_INTEGER

/** `reader` is asked for anew for each page: what is read may change meanwhile. */
export function* pages(
  reader: () => RecordReader,
  kind: number,
  high: number,
  first = 0,
): Generator<{ low: number; value: Uint8Array }> {
  for (let from = first; from <= MAX_LOW;) {
    const page = reader().range(kind, high, from, MAX_LOW, PAGE)
    yield* page
    const last = page[page.length - 1]
    if (last === undefined || page.length < PAGE) return
    from = last.low + 1
  }
}
