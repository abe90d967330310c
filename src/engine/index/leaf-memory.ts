/**
 * Bounded memory for opened leaves, in large pieces: a leaf costs no allocation of its own, which is what the garbage collector
 * would spend most of its time on. When all is used, the piece that was begun first is used again.
 */
const PIECE_BYTES = 256 * 1024
const ALIGNMENT = 4
/** What is taken last and second to last must not share the memory. */
const MIN_PIECES = 2

interface Piece<Owner> {
  readonly memory: ArrayBuffer
  used: number
  owners: Owner[]
}

export class LeafMemory<Owner> {
  readonly #pieces: Piece<Owner>[] = []
  readonly #maxPieces: number
  readonly #onLost: (owner: Owner) => void

  /** `onLost` is told of each owner whose memory is another's from now on. */
  constructor(maxBytes: number, onLost: (owner: Owner) => void) {
    this.#maxPieces = Math.max(MIN_PIECES, Math.floor(maxBytes / PIECE_BYTES))
    this.#onLost = onLost
  }

  /** Memory for `bytes` bytes, at most a piece, aligned for 32-bit numbers. What was there stays until it is written. */
  take(bytes: number, owner: Owner): Uint8Array {
    const rounded = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
    if (rounded > PIECE_BYTES) return new Uint8Array(rounded).subarray(0, bytes)
    let piece = this.#pieces[this.#pieces.length - 1]
    if (piece === undefined || piece.used + rounded > PIECE_BYTES) piece = this.#begin()
    const start = piece.used
    piece.used += rounded
    piece.owners.push(owner)
    return new Uint8Array(piece.memory, start, bytes)
  }

  #begin(): Piece<Owner> {
    const oldest = this.#pieces.length < this.#maxPieces ? undefined : this.#pieces.shift()
    oldest?.owners.forEach(this.#onLost)
    const piece = { memory: oldest?.memory ?? new ArrayBuffer(PIECE_BYTES), used: 0, owners: [] }
    this.#pieces.push(piece)
    return piece
  }
}
