/** A batch item cut into parts that are messages, and put together again from what somebody sends. */
import { byteLength } from '../engine/bytes/concat.js'
import { AteError, errorCode } from '../engine/error.js'
import { BATCH_ITEM_BYTES, decodeBatchItem, gapsIn, ITEM_BATCH } from '../engine/log/batch-item.js'
import type { BatchBytes } from '../engine/log/received-batch.js'
import { type Gap, missingBytes } from '../engine/log/sparse-groups.js'
import { MAX_PART_BYTES } from './limits.js'

/** `pieces` is a batch item (`batchItemPieces`). All parts but the last have MAX_PART_BYTES. */
export function* batchParts(pieces: Iterable<Uint8Array>): Generator<{ bytes: Uint8Array; more: boolean }> {
  let gathered: Uint8Array[] = []
  let room = MAX_PART_BYTES
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      // Full, and something comes behind it.
      if (room === 0) {
        yield { bytes: joined(gathered), more: true }
        gathered = []
        room = MAX_PART_BYTES
      }
      const taken = piece.subarray(at, at + room)
      gathered.push(taken)
      room -= taken.length
      at += taken.length
    }
  }
  yield { bytes: joined(gathered), more: false }
}

/** One piece is taken as it lies; several become one in memory of `take`. */
function joined(pieces: readonly Uint8Array[], take = newMemory): Uint8Array {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return only
  const whole = take(byteLength(pieces))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** Keeps no more than the first part announces, and that is bounded. */
export class BatchJoiner {
  readonly #mayMiss: boolean
  readonly #take: (length: number) => Uint8Array
  #parts: Uint8Array[] = []
  #bytes = 0
  #announced = 0

  /**
   * `mayMiss` false: batches that come without some of their groups are refused, before anything is allocated for them. `take` gives
   * the memory in which several parts become one.
   */
  constructor({ mayMiss = true, take = newMemory }: { mayMiss?: boolean; take?: (length: number) => Uint8Array } = {}) {
    this.#mayMiss = mayMiss
    this.#take = take
  }

  /** Bytes of a batch whose last part has not come. */
  get waitingBytes(): number {
    return this.#bytes
  }

  /** The batch, when this was its last part; content may be missing. BAD_FORMAT for what is no batch item, BATCH_REFUSED. */
  add(part: Uint8Array, more: boolean): BatchBytes | undefined {
    if (more && part.length !== MAX_PART_BYTES) throw bad('a part that is not the last has another length than those')
    if (this.#parts.length === 0) this.#announced = this.#announcedBy(part)
    this.#parts.push(part)
    this.#bytes += part.length
    if (this.#bytes > this.#announced || (more && this.#bytes === this.#announced))
      throw bad('it is longer than it says')
    if (more) return undefined
    const item = joined(this.#parts, this.#take)
    this.reset()
    return decode(item)
  }

  /** At most: what is missing takes less. */
  #announcedBy(first: Uint8Array): number {
    const { headBytes, groupBytes, missing } = itemOf(first)
    if (missing > 0 && !this.#mayMiss)
      throw new AteError('BATCH_REFUSED', 'The batch comes without all that belongs to it.')
    return BATCH_ITEM_BYTES + 4 * missing + headBytes + groupBytes
  }

  /** Forgets what has come of a batch. */
  reset(): void {
    this.#parts = []
    this.#bytes = 0
  }
}

function newMemory(length: number): Uint8Array {
  return new Uint8Array(length)
}

function itemOf(bytes: Uint8Array): NonNullable<ReturnType<typeof decodeBatchItem>> {
  if (
    bytes.length < BATCH_ITEM_BYTES ||
    bytes[0] !== ITEM_BATCH ||
    (bytes[1] ?? 0) + (bytes[2] ?? 0) + (bytes[3] ?? 0) > 0
  )
    throw bad('it does not begin as one')
  const item = decodeBatchItem(bytes)
  if (item === undefined) throw bad('it has a size that none has')
  return item
}

function decode(bytes: Uint8Array): BatchBytes {
  const { headBytes, groupBytes, missing } = itemOf(bytes)
  const headAt = BATCH_ITEM_BYTES + 4 * missing
  const bodyAt = headAt + headBytes
  if (bytes.length < bodyAt) throw bad('it is cut off')
  const head = bytes.subarray(headAt, bodyAt)
  const gaps = gapsOf(head, groupBytes, bytes.subarray(BATCH_ITEM_BYTES, headAt))
  if (bytes.length !== bodyAt + groupBytes - missingBytes(gaps)) throw bad('it has another length than it says')
  const groups = bytes.subarray(bodyAt)
  return gaps.length === 0 ? { head, groups } : { head, groups, gaps }
}

function gapsOf(head: Uint8Array, groupBytes: number, indexes: Uint8Array): Gap[] {
  try {
    const gaps = gapsIn(head, groupBytes, indexes)
    if (gaps !== undefined) return gaps
  } catch (cause) {
    if (errorCode(cause) !== 'BATCH_REFUSED') throw cause
    throw new AteError('BAD_FORMAT', 'The head of a batch cannot be read.', { cause })
  }
  throw bad('it misses groups that it has not')
}

function bad(why: string): AteError {
  return new AteError('BAD_FORMAT', `What was sent is no batch: ${why}.`)
}
