/** References to objects of other chains, by names. */
import { isUnicode } from '../../bytes/unicode.js'
import { AteError } from '../../error.js'
import type { Dao, DaoForeignMut, ForeignChains, ForeignReference } from '../dao.js'
import type { DataType } from '../data-type.js'
import { formatKey, parseKey } from '../object-key.js'
import type { LinkValue } from '../object-record.js'
import type { ReferenceLink } from './dao-weak.js'

export class Foreign implements DaoForeignMut {
  readonly #link: ReferenceLink<LinkValue & { kind: 'foreign' }>

  constructor(link: ReferenceLink<LinkValue & { kind: 'foreign' }>) {
    this.#link = link
  }

  get(name: string): ForeignReference | undefined {
    const target = this.#link.value.targets.get(name)
    return target === undefined ? undefined : { chain: target.chain, key: formatKey(target.key) }
  }

  async load<D extends DataType>(name: string, type: D, chains: ForeignChains): Promise<Dao<D> | undefined> {
    const reference = this.get(name)
    return reference === undefined ? undefined : chains.load(reference, type, { session: this.#link.host.session })
  }

  names(): string[] {
    return [...this.#link.value.targets.keys()]
  }

  set(name: string, { chain, key }: ForeignReference): void {
    if (!isUnicode(name) || !isUnicode(chain))
      throw new AteError('BAD_ARGUMENT', 'The name of a reference is not Unicode: it has half a surrogate pair.')
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
