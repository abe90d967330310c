/** References to objects of other chains, by names. */
import { isUnicode } from '../../bytes/unicode.js'
import { AteError } from '../../error.js'
import type { AteSession } from '../../trust/session.js'
import type { Dao, DataType } from '../data-type.js'
import { formatKey, type ObjectKey, parseKey } from '../object-key.js'
import type { LinkValue } from '../object-record.js'
import type { ReferenceLink } from './dao-weak.js'

/** Where an object of another chain is. */
export interface ForeignReference {
  /** Name or address of the chain. */
  readonly chain: string
  /** Its key there. */
  readonly key: ObjectKey
}

/** What finds the chains that references name: a `Registry`. */
export interface ForeignChains {
  /** See `DaoForeign.load`. */
  load<D extends DataType>(
    reference: ForeignReference,
    type: D,
    options?: { session?: AteSession | undefined },
  ): Promise<Dao<D>>
}

/** References of an object to objects of other chains, by names. Of a type with `foreign`. */
export class DaoForeign {
  readonly #link: ReferenceLink<LinkValue & { kind: 'foreign' }>

  constructor(link: ReferenceLink<LinkValue & { kind: 'foreign' }>) {
    this.#link = link
  }

  /** The reference of a name; undefined when there is none. */
  get(name: string): ForeignReference | undefined {
    const target = this.#link.value.targets.get(name)
    return target === undefined ? undefined : { chain: target.chain, key: formatKey(target.key) }
  }

  /**
   * The object, with the session that loaded this one; undefined when there is no reference of that name. It is of the type
   * that is asked for, or the error is WRONG_TYPE. CHAIN_NOT_FOUND, NOT_FOUND, NO_READ_KEY, BAD_ARGUMENT for what cannot be
   * the name of a chain, NOT_SUPPORTED for an address, and what opening that chain may end in.
   */
  async load<D extends DataType>(name: string, type: D, chains: ForeignChains): Promise<Dao<D> | undefined> {
    const reference = this.get(name)
    return reference === undefined ? undefined : chains.load(reference, type, { session: this.#link.host.session })
  }

  /** The names of all references, in no order. */
  names(): string[] {
    return [...this.#link.value.targets.keys()]
  }

  /** Refers to an object of another chain, instead of what had the name. BAD_ARGUMENT, OBJECT_TOO_LARGE, READ_ONLY. */
  set(name: string, { chain, key }: ForeignReference): void {
    if (!isUnicode(name) || !isUnicode(chain))
      throw new AteError('BAD_ARGUMENT', 'The name of a reference is not Unicode: it has half a surrogate pair.')
    this.#change((targets) => targets.set(name, { chain, key: parseKey(key) }))
  }

  /** Takes a reference away, if there is one. READ_ONLY. */
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
