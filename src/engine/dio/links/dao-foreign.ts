/** References to objects of other chains, by names. */
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { LinkValue } from '../object-record.js'
import type { ReferenceLink } from './dao-weak.js'

export interface ForeignReference {
  /** Name or address of the chain. */
  readonly chain: string
  readonly key: ObjectKey
}

export class DaoForeign {
  readonly #link: ReferenceLink<LinkValue & { kind: 'foreign' }>

  constructor(link: ReferenceLink<LinkValue & { kind: 'foreign' }>) {
    this.#link = link
  }

  get(name: string): ForeignReference | undefined {
    const target = this.#link.value.targets.get(name)
    return target === undefined ? undefined : { chain: target.chain, key: formatKey(target.key) }
  }

  names(): string[] {
    return [...this.#link.value.targets.keys()]
  }

  set(name: string, { chain, key }: ForeignReference): void {
    this.#change((targets) => targets.set(name, { chain, key: parseKey(key) }))
  }

  delete(name: string): void {
    this.#change((targets) => targets.delete(name))
  }

  #change(change: (targets: Map<string, { chain: string; key: ReturnType<typeof parseKey> }>) => unknown): void {
    const { host, owner, name, value } = this.#link
    const targets = new Map(value.targets)
    change(targets)
    const changed = { kind: 'foreign', targets } as const
    host.edit().setLink(owner, name, changed)
    this.#link.value = changed
  }
}
