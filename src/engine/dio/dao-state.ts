/** What is known of an object beside its fields. Kept apart from it, so that it looks like what was stored. */
import { AteError } from '../error.js'
import type { DataType } from './data-type.js'
import { millisecondsOf } from './hybrid-clock.js'
import { formatKey, type ObjectKey } from './object-key.js'
import type { ObjectRecord, Parent } from './object-record.js'

export interface DaoState {
  readonly key: ObjectKey
  readonly type: DataType
  /** As it was loaded; undefined for one that is new. */
  readonly record: ObjectRecord | undefined
}

/** What is known of an object beside its fields. */
export interface DaoInfo {
  /** Its name in the chain. */
  readonly key: ObjectKey
  /** Name of its type. */
  readonly type: string
  /** The object it is a child of; undefined for a root. */
  readonly parent: ObjectKey | undefined
  /** When its first version was committed; undefined for one that is not. */
  readonly createdAt: Date | undefined
  /** When this version was committed; undefined for one that is not. */
  readonly updatedAt: Date | undefined
  /** Versions there were of it; 0 for one that is not committed. */
  readonly revision: number
}

class Given {
  declare readonly given?: never

  constructor(dao: object) {
    return dao
  }
}

/**
 * The state as a private field of an object that is none of ours: seen by nobody and found without a table. (A WeakMap of all
 * objects costs the collector a tenth of what storing them costs.)
 */
class Stamp extends Given {
  #state: DaoState

  constructor(dao: object, state: DaoState) {
    super(dao)
    this.#state = state
  }

  static set(dao: object, state: DaoState): void {
    if (#state in dao) dao.#state = state
    else new Stamp(dao, state)
  }

  static of(dao: object): DaoState | undefined {
    return #state in dao ? dao.#state : undefined
  }
}

export function setDaoState(dao: object, state: DaoState): void {
  Stamp.set(dao, state)
}

/** BAD_ARGUMENT for what no DIO gave out. */
export function daoState(dao: object): DaoState {
  const state = Stamp.of(dao)
  if (state === undefined) throw new AteError('BAD_ARGUMENT', 'This is not an object that was stored or loaded.')
  return state
}

/** The key of an object that was stored or loaded. */
export function keyOf(dao: object): ObjectKey {
  return daoState(dao).key
}

/** What is known of an object as it was when it was stored or loaded. */
export function infoOf(dao: object): DaoInfo {
  const { key, type, record } = daoState(dao)
  return {
    key,
    type: type.name,
    parent: parentKey(record?.parent),
    createdAt: record === undefined ? undefined : new Date(millisecondsOf(record.createdAt)),
    updatedAt: record === undefined ? undefined : new Date(millisecondsOf(record.updatedAt)),
    revision: record?.revision ?? 0,
  }
}

function parentKey(parent: Parent | undefined): ObjectKey | undefined {
  return parent === undefined ? undefined : formatKey(parent.key)
}
