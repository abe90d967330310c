/** Which bodies there are and which of them records refer to: the rest is dead for good, for references are only copied. */
import type { LeafRecord } from '../../index/leaf.js'
import { AteError } from '../../error.js'
import { BODY_PLACE_KIND } from '../body-place.js'
import { BodyBytes } from './body-bytes.js'
import { BodySet } from './body-set.js'
import { UsedKeys } from './used-keys.js'

/** A record as far as its references are concerned. */
export type RecordContent = LeafRecord

/**
 * Tells each body that a record refers to, and how much of it; may tell more. `keys`: is told of what only those need which name it,
 * and of such names. False when the kind is unknown. Whatever it throws for a record
 * that it cannot read ends the compaction: nobody knows what that refers to.
 */
export type FindReferences = (
  record: RecordContent,
  refer: (body: number, length: number) => void,
  keys?: Pick<UsedKeys, 'needs' | 'lies'>,
) => boolean

/** Kinds below are the engine's. */
export const FIRST_USER_KIND = 16

export class LiveBodies {
  readonly placed = new BodySet()
  readonly referred = new BodySet()
  /** What of each body is referred to. */
  readonly bytes = new BodyBytes()
  readonly keys = new UsedKeys()
  readonly #findReferences: FindReferences
  readonly #refer = (body: number, length: number): void => {
    this.referred.add(body)
    this.bytes.add(body, length)
  }

  constructor(findReferences: FindReferences) {
    this.#findReferences = findReferences
  }

  /** NOT_SUPPORTED for a record of a kind that nobody knows. */
  note(record: RecordContent): void {
    if (record.kind === BODY_PLACE_KIND) this.placed.add(record.low)
    else if (record.kind < FIRST_USER_KIND || !this.#findReferences(record, this.#refer, this.keys))
      throw new AteError('NOT_SUPPORTED', `There are records of kind ${record.kind}, which are not known here.`)
  }

  isDead(body: number): boolean {
    return this.placed.has(body) && !this.referred.has(body)
  }
}
