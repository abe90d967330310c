/** Parts of a body that lie one after another. */

/** Pieces written one after another lie one after another: one part for the seal, one range for the other thread. */
export function joinNeighbours(parts: Uint8Array[]): void {
  const pieces = parts.splice(0)
  for (let first = 0; first < pieces.length;) {
    const start = pieces[first]
    if (start === undefined) return
    let { length } = start
    let next = first + 1
    for (; isNeighbour(start, length, pieces[next]); next++) length += pieces[next]?.length ?? 0
    parts.push(next === first + 1 ? start : new Uint8Array(start.buffer, start.byteOffset, length))
    first = next
  }
}

function isNeighbour(start: Uint8Array, length: number, piece: Uint8Array | undefined): boolean {
  return piece?.buffer === start.buffer && piece.byteOffset === start.byteOffset + length
}
