/** A reference to another object, which has its own life: it may be gone. */
import { keyOf } from '../dao-state.js'
import type { Dao, DataType } from '../data-type.js'
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { LinkValue } from '../object-record.js'
import type { LinkHost } from './link-host.js'

export interface ReferenceLink<V extends LinkValue> {
  readonly host: LinkHost
  readonly owner: ObjectKey
  readonly name: string
  /** As it was loaded or last set. */
  value: V
}

/** A reference of an object to another one, which has its own life. Of a type with `weakTo`. */
export class DaoWeak<D extends DataType> {
  readonly #link: ReferenceLink<LinkValue & { kind: 'weak' }>
  readonly #type: D

  constructor(link: ReferenceLink<LinkValue & { kind: 'weak' }>, type: D) {
    this.#link = link
    this.#type = type
  }

  /** The key of the object, which may be gone; undefined when it refers to nothing. */
  get key(): ObjectKey | undefined {
    const { key } = this.#link.value
    return key === undefined ? undefined : formatKey(key)
  }

  /** Undefined when it refers to nothing, or to what is not there any more. */
  async load(): Promise<Dao<D> | undefined> {
    const { key } = this
    return key === undefined ? undefined : this.#link.host.tryLoad(this.#type, key)
  }

  /** Refers to an object from now on. READ_ONLY. */
  set(target: ObjectKey | object): void {
    this.#set({ kind: 'weak', key: parseKey(typeof target === 'string' ? target : keyOf(target)) })
  }

  /** Refers to nothing from now on. READ_ONLY. */
  clear(): void {
    this.#set({ kind: 'weak', key: undefined })
  }

  #set(value: LinkValue & { kind: 'weak' }): void {
    const { host, owner, name } = this.#link
    host.edit().setLink(owner, name, value)
    this.#link.value = value
  }
}
