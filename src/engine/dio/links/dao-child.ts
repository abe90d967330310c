/** At most one child. */
import type { Dao, DataType, InputOf } from '../data-type.js'
import type { CollectionLink } from './dao-vec.js'
import { DaoMap } from './dao-map.js'
import type { Subscription } from './subscription.js'

/** A map of one name. */
const NAME = 'child'

/** At most one child of an object, which is deleted with it. Of a type with `childOf`. */
export class DaoChild<D extends DataType> {
  readonly #map: DaoMap<D>

  constructor(link: CollectionLink<D>) {
    this.#map = new DaoMap(link)
  }

  /** The child; undefined when there is none. NO_READ_KEY, INVALID_OBJECT, BODY_DAMAGED. */
  load(): Promise<Dao<D> | undefined> {
    return this.#map.get(NAME)
  }

  /** True when there is one. */
  isSet(): Promise<boolean> {
    return this.#map.has(NAME)
  }

  /** Stores a new child; the one before is deleted. */
  store(fields: InputOf<D>): Dao<D> {
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
