/** Children by name. Every name is a record of its own: writers of different names never conflict. */
import type { PlacedChild } from '../collection.js'
import type { Dao, DataType, InputOf } from '../data-type.js'
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { CollectionLink } from './dao-vec.js'
import { type Subscription, subscribeTo } from './subscription.js'

/** Children of an object by name, deleted with it. Of a type with `mapOf`. Writers of different names never conflict. */
export class DaoMap<D extends DataType> {
  readonly #link: CollectionLink<D>

  constructor(link: CollectionLink<D>) {
    this.#link = link
  }

  /** The child of a name; undefined when there is none. NO_READ_KEY, INVALID_OBJECT, BODY_DAMAGED. */
  async get(name: string): Promise<Dao<D> | undefined> {
    const key = this.#keyOf(name)
    return key === undefined ? undefined : this.#link.host.tryLoad(this.#link.type, key)
  }

  /** True when there is a child of that name. */
  async has(name: string): Promise<boolean> {
    return this.#keyOf(name) !== undefined
  }

  /** Stores a new child under a name; the one that had it is deleted. */
  set(name: string, fields: InputOf<D>): Dao<D> {
    const { host, type, parent, collection } = this.#link
    const editor = host.edit()
    const replaced = this.#keyOf(name)
    if (replaced !== undefined) editor.remove(replaced)
    const spot = { at: 'name', place: host.placeOf(name), name } as const
    return editor.storeChild(type, fields, { key: parseKey(parent), collection, spot })
  }

  /** The child of a name, stored first when there is none. */
  async getOrSet(name: string, fields: () => InputOf<D>): Promise<Dao<D>> {
    return (await this.get(name)) ?? this.set(name, fields())
  }

  /** True when there was one. */
  async delete(name: string): Promise<boolean> {
    const key = this.#keyOf(name)
    if (key !== undefined) this.#link.host.edit().remove(key)
    return key !== undefined
  }

  /** Deletes all children. READ_ONLY. */
  async clear(): Promise<void> {
    const editor = this.#link.host.edit()
    for (const { key } of [...this.#children()]) editor.remove(formatKey(key))
  }

  /** How many there are: it reads the collection. */
  async size(): Promise<number> {
    return this.#link.host.collection(this.#link.collection).count()
  }

  /** In no order. */
  async *keys(): AsyncGenerator<string> {
    for (const { name } of this.#children()) yield name
  }

  /** What becomes of the children from now on, in the order of the commits, once they are durable. */
  subscribe(): Subscription<D> {
    const { host, type, collection } = this.#link
    return subscribeTo(host.events, type, collection)
  }

  /** Names and children, in no order. */
  async *[Symbol.asyncIterator](): AsyncGenerator<[string, Dao<D>]> {
    for (const { name, key } of this.#children()) {
      const dao = await this.#link.host.readable(this.#link.type, formatKey(key))
      if (dao !== undefined) yield [name, dao]
    }
  }

  #keyOf(name: string): ObjectKey | undefined {
    const { host, collection } = this.#link
    const child = host
      .collection(collection)
      .at(host.placeOf(name))
      .find((one) => one.name === name)
    return child === undefined ? undefined : formatKey(child.key)
  }

  #children(): Generator<PlacedChild> {
    return this.#link.host.collection(this.#link.collection).children()
  }
}
