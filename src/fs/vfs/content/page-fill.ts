/**
 * Keeps files from falling apart: a piece that covers a part of a page of committed content takes the rest of the page with
 * it. Without this a log file synced line by line would be read from one body per line; with it from one per page.
 */
import type { Piece } from './dirty-pieces.js'

/** Extents are at least this long where content is dense. More would multiply what a small write appends to the log. */
const PAGE_BYTES = 4096

/**
 * The pieces and, between them, what completes their pages. `read` gives staged bytes of [from, to) or undefined; nothing
 * is committed at or beyond `committedEnd`.
 */
export function withFilledPages(
  pieces: readonly Piece[],
  committedEnd: number,
  read: (from: number, to: number) => Uint8Array | undefined,
): readonly Piece[] {
  const first = pieces[0]
  if (first === undefined || committedEnd <= pageStart(first.start)) return pieces
  const filled: Piece[] = []
  let lastEnd = 0
  const fill = (from: number, to: number): void => {
    const bytes = from < to ? read(from, to) : undefined
    if (bytes !== undefined) filled.push({ start: from, length: to - from, bytes })
    if (bytes !== undefined) lastEnd = to
  }
  pieces.forEach((piece, index) => {
    fill(Math.max(pageStart(piece.start), lastEnd), piece.start)
    filled.push(piece)
    const end = piece.start + piece.length
    lastEnd = end
    const next = pieces[index + 1]?.start ?? Infinity
    fill(end, Math.min(pageStart(end + PAGE_BYTES - 1), next, committedEnd))
  })
  return filled
}

function pageStart(offset: number): number {
  return offset - (offset % PAGE_BYTES)
}
