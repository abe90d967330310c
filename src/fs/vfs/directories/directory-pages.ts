/**
 * Listing directories. The kernel asks again every few dozen entries, so records are fetched in pages and a page is kept
 * per directory until the directory changes. A page starts small and doubles while it is read to its end: a listing of a
 * directory that changes all the time (rm -r) never fetches much more than it hands out.
 */
import type { RecordItem, RecordView } from '../../../engine/chain/record-view.js'
import { entryDamaged } from '../damage-messages.js'
import { decodeEntries, SLOTS, type Entry } from '../records/entry-record.js'
import { KIND_ENTRY, MAX_LOW } from '../records/record-kinds.js'
import type { EntrySink, Ino } from '../types.js'

/** Cookies before those of the entries: the start, '.' and '..'. */
export const COOKIE_DOT = 1
export const COOKIE_DOT_DOT = 2
const FIRST_COOKIE = 3

const MIN_PAGE = 32
const MAX_PAGE = 1024
/** Directories with a page. */
const MAX_PAGES = 64

interface Page {
  /** The page has all records with from <= low <= to. */
  from: number
  to: number
  items: RecordItem[]
  limit: number
}

export class DirectoryPages {
  readonly #view: RecordView
  readonly #onWarning: (message: string) => void
  readonly #pages = new Map<Ino, Page>()

  constructor(view: RecordView, onWarning: (message: string) => void) {
    this.#view = view
    this.#onWarning = onWarning
  }

  /** The directory's entries changed. */
  invalidate(directory: Ino): void {
    if (this.#pages.size > 0) this.#pages.delete(directory)
  }

  /** Hands out the entries after `cookie` until the sink refuses one. */
  list(directory: Ino, cookie: number, sink: EntrySink): void {
    const position = Math.max(0, cookie - FIRST_COOKIE + (cookie < FIRST_COOKIE ? 0 : 1))
    let low = Math.floor(position / SLOTS)
    let slot = position % SLOTS
    while (low <= MAX_LOW / SLOTS) {
      const page = this.#pageAt(directory, low)
      for (let i = lowerBound(page.items, low); i < page.items.length; i++) {
        const item = page.items[i]
        if (item === undefined) break
        for (const entry of this.#decode(directory, item.value)) {
          if (item.low === low && entry.slot < slot) continue
          if (!sink(entry.name, entry.ino, entry.type, item.low * SLOTS + entry.slot + FIRST_COOKIE)) return
        }
      }
      low = page.to + 1
      slot = 0
    }
  }

  /** A page that has the first record at or after `low`. */
  #pageAt(directory: Ino, low: number): Page {
    const known = this.#pages.get(directory)
    if (known !== undefined && known.from <= low && low <= known.to) return known
    const limit = known !== undefined && known.to + 1 === low ? Math.min(known.limit * 2, MAX_PAGE) : MIN_PAGE
    const items = this.#view.range(KIND_ENTRY, directory, low, MAX_LOW, limit)
    const last = items[limit - 1]
    const page = { from: low, to: last?.low ?? MAX_LOW, items, limit }
    this.#pages.delete(directory)
    this.#pages.set(directory, page)
    if (this.#pages.size > MAX_PAGES) {
      for (const oldest of this.#pages.keys()) {
        this.#pages.delete(oldest)
        break
      }
    }
    return page
  }

  /** One damaged record hides its entries and nothing else. */
  #decode(directory: Ino, value: Uint8Array): readonly Entry[] {
    try {
      return decodeEntries(value)
    } catch {
      this.#onWarning(entryDamaged(directory))
      return []
    }
  }
}

/** Index of the first item at or after `low`. */
function lowerBound(items: readonly RecordItem[], low: number): number {
  let from = 0
  let to = items.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((items[middle]?.low ?? 0) < low) from = middle + 1
    else to = middle
  }
  return from
}
