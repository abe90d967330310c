/** At most one child. */
import type { Dao, DataType, FieldsOf } from '../data-type.js'
import type { CollectionLink } from './dao-vec.js'
import { DaoMap } from './dao-map.js'
import type { Subscription } from './subscription.js'

/** A map of one name. */
const NAME = 'child'

export class DaoChild<D extends DataType> {
  readonly #map: DaoMap<D>

  constructor(link: CollectionLink<D>) {
    this.#map = new DaoMap(link)
  }

  load(): Promise<Dao<D> | undefined> {
    return this.#map.get(NAME)
  }

  isSet(): Promise<boolean> {
    return this.#map.has(NAME)
  }

  /** Stores a new child; the one before is deleted. */
  store(fields: FieldsOf<D>): Dao<D> {
    return this.#map.set(NAME, fields)
  }

  /**
   * What becomes of the child from now on, in the order of the commits, once they are durable. Where one takes the place of
   * another, that one is deleted.
   */
  subscribe(): Subscription<D> {
    return this.#map.subscribe()
  }

  /** True when there was one, which is deleted. */
  clear(): Promise<boolean> {
    return this.#map.delete(NAME)
  }
}
