/** A reference to another object, which has its own life: it may be gone. */
import { keyOf } from '../dao-state.js'
import type { DaoMut, DaoWeakMut } from '../dao.js'
import type { DataType } from '../data-type.js'
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

export class WeakTo<D extends DataType> implements DaoWeakMut<D> {
  readonly #link: ReferenceLink<LinkValue & { kind: 'weak' }>
  readonly #type: D

  constructor(link: ReferenceLink<LinkValue & { kind: 'weak' }>, type: D) {
    this.#link = link
    this.#type = type
  }

  get key(): ObjectKey | undefined {
    const { key } = this.#link.value
    return key === undefined ? undefined : formatKey(key)
  }

  async load(): Promise<DaoMut<D> | undefined> {
    const { key } = this
    return key === undefined ? undefined : this.#link.host.tryLoad(this.#type, key)
  }

  set(target: ObjectKey | object): void {
    this.#set({ kind: 'weak', key: parseKey(typeof target === 'string' ? target : keyOf(target)) })
  }

  clear(): void {
    this.#set({ kind: 'weak', key: undefined })
  }

  #set(value: LinkValue & { kind: 'weak' }): void {
    const { host, owner, name } = this.#link
    host.edit().setLink(owner, name, value)
    this.#link.value = value
  }
}
