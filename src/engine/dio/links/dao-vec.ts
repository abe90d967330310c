/** Children in an order. */
import { AteError } from '../../error.js'
import type { PlacedChild } from '../collection.js'
import { keyOf } from '../dao-state.js'
import type { DaoMut, DaoVecMut, Subscription } from '../dao.js'
import type { DataType, InputOf } from '../data-type.js'
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { ParentSpot, Spot } from '../object-writer.js'
import type { LinkHost } from './link-host.js'
import { subscribeTo } from './subscription.js'

export interface CollectionLink<D extends DataType> {
  readonly host: LinkHost
  readonly type: D
  readonly parent: ObjectKey
  readonly collection: number
}

export class VecOf<D extends DataType> implements DaoVecMut<D> {
  readonly #link: CollectionLink<D>

  constructor(link: CollectionLink<D>) {
    this.#link = link
  }

  push(fields: InputOf<D>): DaoMut<D> {
    return this.#store(fields, { at: 'end' })
  }

  async insert(index: number, fields: InputOf<D>): Promise<DaoMut<D>> {
    return this.#store(fields, this.#spotAt(index))
  }

  attach(dao: object): void {
    this.#link.host.edit().moveChild(keyOf(dao), this.#parent({ at: 'end' }))
  }

  async remove(child: ObjectKey | object): Promise<void> {
    const key = typeof child === 'string' ? child : keyOf(child)
    for (const other of this.#children()) {
      if (formatKey(other.key) !== key) continue
      this.#link.host.edit().remove(key)
      return
    }
    throw new AteError('NOT_FOUND', `The object ${key} is no child of this collection.`)
  }

  async clear(): Promise<void> {
    const editor = this.#link.host.edit()
    for (const { key } of [...this.#children()]) editor.remove(formatKey(key))
  }

  async at(index: number): Promise<DaoMut<D> | undefined> {
    const children = index < 0 ? [...this.#children()] : this.#children()
    let at = index < 0 && Array.isArray(children) ? -children.length : 0
    for (const { key } of children) if (at++ === index) return this.#load(key)
    return undefined
  }

  async length(): Promise<number> {
    return this.#link.host.collection(this.#link.collection).count()
  }

  async *keys(): AsyncGenerator<ObjectKey> {
    for (const { key } of this.#children()) yield formatKey(key)
  }

  subscribe(): Subscription<D> {
    const { host, type, collection } = this.#link
    return subscribeTo(host.events, type, collection)
  }

  onChange(listener: () => void): Disposable {
    const { host, collection } = this.#link
    const end = host.events.subscribe(collection, { note: listener, end: listener })
    return { [Symbol.dispose]: end }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DaoMut<D>> {
    for (const { key } of this.#children()) {
      const dao = await this.#link.host.readable(this.#link.type, formatKey(key))
      if (dao !== undefined) yield dao
    }
  }

  #children(): Generator<PlacedChild> {
    return this.#link.host.collection(this.#link.collection).children()
  }

  #load(key: PlacedChild['key']): Promise<DaoMut<D> | undefined> {
    return this.#link.host.tryLoad(this.#link.type, formatKey(key))
  }

  #store(fields: InputOf<D>, spot: Spot): DaoMut<D> {
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
