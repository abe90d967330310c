/** What links need of the DIO that gave out their object. */
import type { AteSession } from '../../trust/session.js'
import type { Collection } from '../collection.js'
import type { Dao, DaoMut } from '../dao.js'
import type { DataType, InputOf } from '../data-type.js'
import type { ChildListener, Topic } from '../commit-feed.js'
import type { KeyParts, ObjectKey } from '../object-key.js'
import type { LinkValue, ObjectRecord } from '../object-record.js'
import type { ParentSpot } from '../object-writer.js'

export interface EventSource {
  subscribe(topic: Topic, listener: ChildListener): () => void
  /** An object as it was in an event. LAGGED when that was dropped. */
  read<D extends DataType>(type: D, key: KeyParts, record: ObjectRecord): Promise<Dao<D>>
}

export interface LinkHost {
  /** Who reads. */
  readonly session: AteSession
  /** Frozen where the DIO only reads. */
  tryLoad<D extends DataType>(type: D, key: ObjectKey): Promise<DaoMut<D> | undefined>
  /** As `tryLoad`; undefined too for what the session cannot read. */
  readable<D extends DataType>(type: D, key: ObjectKey): Promise<DaoMut<D> | undefined>
  collection(number: number): Collection
  /** The place of a name in a map. */
  placeOf(name: string): number
  readonly events: EventSource
  /** READ_ONLY when it belongs to a DIO that only reads. */
  edit(): LinkEditor
}

export interface LinkEditor {
  storeChild<D extends DataType>(type: D, fields: InputOf<D>, parent: ParentSpot): DaoMut<D>
  /** Moves an object there, from wherever it is. CYCLE when the parent lies below it. */
  moveChild(key: ObjectKey, parent: ParentSpot): void
  /** Deletes an object and its children. */
  remove(key: ObjectKey): void
  setLink(owner: ObjectKey, name: string, value: LinkValue): void
}
