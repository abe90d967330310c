/** The changes of a batch that somebody else wrote, over the records before it: nothing of it is believed yet. */
import type { JudgedState } from '../../chain/batch-gate.js'
import type { ChangeSink } from '../../chain/change-stream.js'
import { readChanges } from '../../chain/change-stream.js'
import { AteError } from '../../error.js'
import type { OverlayNode } from '../../index/overlay.js'
import type { RecordReader } from '../../transaction/record-reader.js'
import { StagedRecords } from '../../transaction/staged-records.js'
import { CLOCK_KIND, OBJECT_KIND } from '../kinds.js'
import type { KeyParts } from '../object-key.js'
import { decodeObject, isTombstone, type ObjectRecord } from '../object-record.js'

export class ReceivedBatch implements ChangeSink {
  readonly before: JudgedState
  readonly #after: StagedRecords
  readonly #objects = new Map<Uint8Array, ObjectRecord | undefined>()

  /** BAD_FORMAT for what data objects do not write. */
  constructor(records: readonly Uint8Array[], before: JudgedState) {
    this.before = before
    this.#after = new StagedRecords(before)
    for (const stream of records) readChanges(stream, this)
  }

  get after(): RecordReader {
    return this.#after
  }

  put(kind: number, high: number, low: number, value: Uint8Array): void {
    demandKind(kind)
    this.#after.put(kind, high, low, value)
  }

  delete(kind: number, high: number, low: number): void {
    demandKind(kind)
    this.#after.put(kind, high, low, null)
  }

  deleteRange(): void {
    throw bad('deletes a range of records')
  }

  /** Its changes, the last of each record. */
  changes(kind?: number): readonly Readonly<OverlayNode>[] {
    return kind === undefined ? this.#after.nodes : this.#after.nodes.filter((node) => node.kind === kind)
  }

  changedObjects(): KeyParts[] {
    return this.changes(OBJECT_KIND).map(({ high, low }) => ({ high, low }))
  }

  objectBefore(key: KeyParts): ObjectRecord | undefined {
    return this.#object(this.before.get(OBJECT_KIND, key.high, key.low))
  }

  objectAfter(key: KeyParts): ObjectRecord | undefined {
    return this.#object(this.#after.get(OBJECT_KIND, key.high, key.low))
  }

  isDead({ high, low }: KeyParts): boolean {
    const bytes = this.before.get(OBJECT_KIND, high, low)
    return bytes !== undefined && isTombstone(bytes)
  }

  leavesTombstone({ high, low }: KeyParts): boolean {
    const bytes = this.#after.get(OBJECT_KIND, high, low)
    return bytes !== undefined && isTombstone(bytes)
  }

  #object(bytes: Uint8Array | undefined): ObjectRecord | undefined {
    if (bytes === undefined) return undefined
    if (!this.#objects.has(bytes)) this.#objects.set(bytes, decodeObject(bytes))
    return this.#objects.get(bytes)
  }
}

function demandKind(kind: number): void {
  if (kind < OBJECT_KIND || kind > CLOCK_KIND) throw bad(`holds a record of kind ${kind}`)
}

/** Half a sentence about a batch that no honest program writes. */
export function bad(what: string): AteError {
  return new AteError('BAD_FORMAT', `The batch ${what}.`)
}
