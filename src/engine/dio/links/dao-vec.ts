/** Children in an order. */
import { AteError } from '../../error.js'
import type { PlacedChild } from '../collection.js'
import { keyOf } from '../dao-state.js'
import type { Dao, DataType, InputOf } from '../data-type.js'
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { ParentSpot, Spot } from '../object-writer.js'
import type { LinkHost } from './link-host.js'
import { type Subscription, subscribeTo } from './subscription.js'

export interface CollectionLink<D extends DataType> {
  readonly host: LinkHost
  readonly type: D
  readonly parent: ObjectKey
  readonly collection: number
}

/** Children of an object in an order, deleted with it. Of a type with `vecOf`. */
export class DaoVec<D extends DataType> {
  readonly #link: CollectionLink<D>

  constructor(link: CollectionLink<D>) {
    this.#link = link
  }

  /** Stores a new child behind all others: also behind those that others are adding at the same time. */
  push(fields: InputOf<D>): Dao<D> {
    return this.#store(fields, { at: 'end' })
  }

  /** Stores a new child before the one that is at `index` now; at the end when there are not so many. */
  async insert(index: number, fields: InputOf<D>): Promise<Dao<D>> {
    return this.#store(fields, this.#spotAt(index))
  }

  /** Makes an object a child, the last one, wherever it was before. CYCLE. */
  attach(dao: object): void {
    this.#link.host.edit().moveChild(keyOf(dao), this.#parent({ at: 'end' }))
  }

  /** Deletes a child. NOT_FOUND when it is none. */
  async remove(child: ObjectKey | object): Promise<void> {
    const key = typeof child === 'string' ? child : keyOf(child)
    for (const other of this.#children()) {
      if (formatKey(other.key) !== key) continue
      this.#link.host.edit().remove(key)
      return
    }
    throw new AteError('NOT_FOUND', `The object ${key} is no child of this collection.`)
  }

  /** Deletes all children. */
  async clear(): Promise<void> {
    const editor = this.#link.host.edit()
    for (const { key } of [...this.#children()]) editor.remove(formatKey(key))
  }

  /** The child at `index`, from the end when negative. */
  async at(index: number): Promise<Dao<D> | undefined> {
    const children = index < 0 ? [...this.#children()] : this.#children()
    let at = index < 0 && Array.isArray(children) ? -children.length : 0
    for (const { key } of children) if (at++ === index) return this.#load(key)
    return undefined
  }

  /** How many there are: it reads the collection. */
  async length(): Promise<number> {
    return this.#link.host.collection(this.#link.collection).count()
  }

  /** Their keys, in their order. */
  async *keys(): AsyncGenerator<ObjectKey> {
    for (const { key } of this.#children()) yield formatKey(key)
  }

  /** What becomes of the children from now on, in the order of the commits, once they are durable. */
  subscribe(): Subscription<D> {
    const { host, type, collection } = this.#link
    return subscribeTo(host.events, type, collection)
  }

  /**
   * Calls `listener` after each commit for each child that it stored, changed or deleted, and when the chain is closed: as
   * `subscribe`, for who reads no events.
   *
   * @internal
   */
  onChange(listener: () => void): Disposable {
    const { host, collection } = this.#link
    const end = host.events.subscribe(collection, { note: listener, end: listener })
    return { [Symbol.dispose]: end }
  }

  /** One after another, as they are asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Dao<D>> {
    for (const { key } of this.#children()) {
      const dao = await this.#link.host.readable(this.#link.type, formatKey(key))
      if (dao !== undefined) yield dao
    }
  }

  #children(): Generator<PlacedChild> {
    return this.#link.host.collection(this.#link.collection).children()
  }

  #load(key: PlacedChild['key']): Promise<Dao<D> | undefined> {
    return this.#link.host.tryLoad(this.#link.type, formatKey(key))
  }

  #store(fields: InputOf<D>, spot: Spot): Dao<D> {
    return this.#link.host.edit().storeChild(this.#link.type, fields, this.#parent(spot))
  }

  #parent(spot: Spot): ParentSpot {
    return { key: parseKey(this.#link.parent), collection: this.#link.collection, spot }
  }

  #spotAt(index: number): Spot {
    let after: number | undefined
    let at = 0
    for (const { place } of this.#children()) {
      if (at++ === index) return { at: 'between', after, before: place }
      after = place
    }
    return { at: 'end' }
  }
}
