/** An object in the hands of a transaction. */
import { equalBytes } from '../bytes/equal.js'
import type { Slab } from '../bytes/slab.js'
import { AteError } from '../error.js'
import type { DataType } from './data-type.js'
import { fieldsToBytes } from './fields.js'
import { type Labels, NO_LABELS } from './hooks/labels.js'
import type { KeyParts, ObjectKey } from './object-key.js'
import {
  type AccessKeyName,
  type LinkValue,
  NO_LINKS,
  NOWHERE,
  type ObjectRecord,
  type Parent,
  type Transforms,
} from './object-record.js'
import type { StoredRules } from './rule-record.js'

/** What is stored of it, when that is known. */
export interface Stored {
  readonly record: ObjectRecord
  readonly data: Uint8Array
}

/** How the fields are stored. */
export interface StoredForm {
  readonly data: ObjectRecord['data']
  readonly sealedBy?: AccessKeyName | undefined
  readonly transforms?: Transforms | undefined
}

export class Tracked {
  readonly key: KeyParts
  readonly text: ObjectKey
  readonly type: DataType
  /** As the user has it. */
  readonly dao: object
  links: ReadonlyMap<string, LinkValue>
  /** Of these, what its type has got after it was stored: they are stored when they are used. */
  lateLinks: ReadonlyMap<string, LinkValue>
  parent: Parent | undefined
  /** The version it was loaded from; undefined for a new one. */
  base: Stored | undefined
  /** Where the index of fields has it. */
  indexed: readonly number[]
  /** The fields as they were last put into the transaction. */
  #putData: Uint8Array | undefined
  /** The fields as they are about to be put; undefined: as they were put last. */
  pending: Uint8Array | undefined
  /** Its parent, links or rules are not as in the record any more. */
  isMoved = false
  /** What was put of it is for this transaction's own reads: not sealed, and in one piece. */
  #isProvisional = false
  /** Its base is what the transaction has already made of it: the next version. */
  isNextVersion = false
  /** Version of the object that had its key and is deleted by the same transaction. */
  replaces = 0
  /** Its own rules. */
  rules: StoredRules | undefined
  /** What linters have made of those it was loaded with. */
  labels: Labels

  constructor(options: {
    key: KeyParts
    text: ObjectKey
    type: DataType
    dao: object
    links: ReadonlyMap<string, LinkValue>
    lateLinks?: ReadonlyMap<string, LinkValue>
    parent: Parent | undefined
    base: Stored | undefined
  }) {
    const { key, text, type, dao, links, parent, base } = options
    this.key = key
    this.text = text
    this.type = type
    this.dao = dao
    this.links = links
    this.lateLinks = options.lateLinks ?? NO_LINKS
    this.parent = parent
    this.base = base
    this.indexed = base?.record.indexed ?? NOWHERE
    this.#putData = base?.data
    this.rules = base?.record.rules
    this.labels = base?.record.labels ?? NO_LABELS
  }

  /** The object, which must be of the type. WRONG_TYPE. */
  expect(type: DataType): object {
    if (type.name === this.type.name) return this.dao
    throw new AteError('WRONG_TYPE', `The object ${this.text} is of the type ${this.type.name}, not ${type.name}.`)
  }

  /** The fields as bytes in memory of `slab`, when the object must be put (again); undefined when it is as it was put last. */
  changedData(slab: Slab): Uint8Array | undefined {
    const data = fieldsToBytes(this.type, this.dao, slab)
    const isSame = this.#putData !== undefined && equalBytes(this.#putData, data)
    return isSame && !this.isMoved && !this.#isProvisional ? undefined : data
  }

  /** `how`: for this transaction's own reads, or as it is committed. */
  notePut(data: Uint8Array, how: 'provisional' | 'final'): void {
    this.#putData = data
    this.isMoved = false
    this.#isProvisional = how === 'provisional'
  }

  /** The record to put. `now` is the time of this version. */
  record(now: number, { data, sealedBy, transforms }: StoredForm): ObjectRecord {
    return {
      createdAt: this.base?.record.createdAt ?? now,
      updatedAt: now,
      revision: (this.base?.record.revision ?? this.replaces) + (this.isNextVersion ? 0 : 1),
      parent: this.parent,
      type: this.type.name,
      links: this.links,
      indexed: this.indexed,
      rules: this.rules,
      sealedBy,
      labels: this.labels,
      transforms,
      data,
    }
  }

  /** Goes on from another version than it was loaded from, with these fields. */
  rebase(base: Stored, fields: object): void {
    this.base = base
    this.isNextVersion = false
    this.parent = base.record.parent
    this.indexed = base.record.indexed
    this.rules = base.record.rules
    this.labels = base.record.labels
    this.links = base.record.links
    for (const name of Object.keys(this.dao)) if (!(name in fields)) Reflect.deleteProperty(this.dao, name)
    Object.assign(this.dao, fields)
    this.#putData = base.data
  }
}
