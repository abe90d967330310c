/**
 * Bounded memory for opened leaves, in large pieces: a leaf costs no allocation of its own, which is what the garbage collector
 * would spend most of its time on. When all is used, the piece that was begun first is let go with all that lies in it;
 * whoever still holds a view of it keeps it.
 */
const PIECE_BYTES = 256 * 1024
const ALIGNMENT = 4

interface Piece<Owner> {
  memory: ArrayBuffer
  used: number
  owners: Owner[]
}

export class LeafMemory<Owner> {
  readonly #pieces: Piece<Owner>[] = []
  readonly #maxPieces: number
  readonly #onLetGo: (owner: Owner) => void

  /** `onLetGo` is told of each owner whose memory goes. */
  constructor(maxBytes: number, onLetGo: (owner: Owner) => void) {
    this.#maxPieces = Math.max(1, Math.floor(maxBytes / PIECE_BYTES))
    this.#onLetGo = onLetGo
  }

  /** Memory for `bytes` bytes, aligned for 32-bit numbers. */
  take(bytes: number, owner: Owner): Uint8Array {
    const rounded = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
    let piece = this.#pieces[this.#pieces.length - 1]
    if (piece === undefined || piece.used + rounded > piece.memory.byteLength) piece = this.#begin(rounded)
    const start = piece.used
    piece.used += rounded
    piece.owners.push(owner)
    return new Uint8Array(piece.memory, start, bytes)
  }

  #begin(bytes: number): Piece<Owner> {
    if (this.#pieces.length >= this.#maxPieces) this.#pieces.shift()?.owners.forEach(this.#onLetGo)
    const piece = { memory: new ArrayBuffer(Math.max(PIECE_BYTES, bytes)), used: 0, owners: [] }
    this.#pieces.push(piece)
    return piece
  }
}
