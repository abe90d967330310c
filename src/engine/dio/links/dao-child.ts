/** At most one child. */
import type { DaoChildMut, DaoMut, Subscription } from '../dao.js'
import type { DataType, InputOf } from '../data-type.js'
import type { CollectionLink } from './dao-vec.js'
import { MapOf } from './dao-map.js'

/** A map of one name. */
const NAME = 'child'

export class ChildOf<D extends DataType> implements DaoChildMut<D> {
  readonly #map: MapOf<D>

  constructor(link: CollectionLink<D>) {
    this.#map = new MapOf(link)
  }

  load(): Promise<DaoMut<D> | undefined> {
    return this.#map.get(NAME)
  }

  isSet(): Promise<boolean> {
    return this.#map.has(NAME)
  }

  store(fields: InputOf<D>): DaoMut<D> {
    return this.#map.set(NAME, fields)
  }

  subscribe(): Subscription<D> {
    return this.#map.subscribe()
  }

  clear(): Promise<boolean> {
    return this.#map.delete(NAME)
  }
}
