/** Children by name. Every name is a record of its own: writers of different names never conflict. */
import type { PlacedChild } from '../collection.js'
import type { DaoMapMut, DaoMut, Subscription } from '../dao.js'
import type { DataType, InputOf } from '../data-type.js'
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { CollectionLink } from './dao-vec.js'
import { subscribeTo } from './subscription.js'

export class MapOf<D extends DataType> implements DaoMapMut<D> {
  readonly #link: CollectionLink<D>

  constructor(link: CollectionLink<D>) {
    this.#link = link
  }

  async get(name: string): Promise<DaoMut<D> | undefined> {
    const key = this.#keyOf(name)
    return key === undefined ? undefined : this.#link.host.tryLoad(this.#link.type, key)
  }

  async has(name: string): Promise<boolean> {
    return this.#keyOf(name) !== undefined
  }

  set(name: string, fields: InputOf<D>): DaoMut<D> {
    const { host, type, parent, collection } = this.#link
    const editor = host.edit()
    const replaced = this.#keyOf(name)
    if (replaced !== undefined) editor.remove(replaced)
    const spot = { at: 'name', place: host.placeOf(name), name } as const
    return editor.storeChild(type, fields, { key: parseKey(parent), collection, spot })
  }

  async getOrSet(name: string, fields: () => InputOf<D>): Promise<DaoMut<D>> {
    return (await this.get(name)) ?? this.set(name, fields())
  }

  async delete(name: string): Promise<boolean> {
    const key = this.#keyOf(name)
    if (key !== undefined) this.#link.host.edit().remove(key)
    return key !== undefined
  }

  async clear(): Promise<void> {
    const editor = this.#link.host.edit()
    for (const { key } of [...this.#children()]) editor.remove(formatKey(key))
  }

  async size(): Promise<number> {
    return this.#link.host.collection(this.#link.collection).count()
  }

  async *keys(): AsyncGenerator<string> {
    for (const { name } of this.#children()) yield name
  }

  subscribe(): Subscription<D> {
    const { host, type, collection } = this.#link
    return subscribeTo(host.events, type, collection)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<[string, DaoMut<D>]> {
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
