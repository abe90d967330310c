/** What is known of an object beside its fields. Kept apart from it, so that it looks like what was stored. */
import { AteError } from '../error.js'
import type { DataType } from './data-type.js'
import { SEAL_OVERHEAD_BYTES } from '../trust/access-keys.js'
import { NO_LABELS } from './hooks/labels.js'
import { millisecondsOf } from './hybrid-clock.js'
import { formatKey, type ObjectKey } from './object-key.js'
import type { ObjectRecord, Parent } from './object-record.js'

export interface DaoState {
  readonly key: ObjectKey
  readonly type: DataType
  /** Of the version that was loaded or committed last; undefined for one that is new. */
  record: RecordInfo | undefined
}

/** A record without its fields: those would keep what was read or written for others in memory, too. */
export type RecordInfo = Pick<ObjectRecord, 'parent' | 'createdAt' | 'updatedAt' | 'revision' | 'labels'> & {
  readonly sizeBytes: number
}

export function recordInfo(record: ObjectRecord): RecordInfo {
  const { parent, createdAt, updatedAt, revision, labels } = record
  return { parent, createdAt, updatedAt, revision, labels, sizeBytes: sizeOf(record) }
}

/** Bytes of the fields before they were transformed and sealed. */
function sizeOf({ data, transforms, sealedBy }: ObjectRecord): number {
  if (transforms !== undefined) return transforms.length
  const bytes = data instanceof Uint8Array ? data.length : data.reduce((sum, { length }) => sum + length, 0)
  return sealedBy === undefined ? bytes : bytes - SEAL_OVERHEAD_BYTES
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
  /** Bytes of its fields; 0 for one that is not committed. */
  readonly sizeBytes: number
  /** What linters gave it. */
  readonly labels: ReadonlyMap<string, string>
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

/** What is known of an object as it was when it was loaded or last committed. */
export function infoOf(dao: object): DaoInfo {
  const { key, type, record } = daoState(dao)
  return infoFrom(key, type.name, record)
}

export function infoFrom(key: ObjectKey, type: string, record: RecordInfo | undefined): DaoInfo {
  return {
    key,
    type,
    parent: parentKey(record?.parent),
    createdAt: record === undefined ? undefined : new Date(millisecondsOf(record.createdAt)),
    updatedAt: record === undefined ? undefined : new Date(millisecondsOf(record.updatedAt)),
    revision: record?.revision ?? 0,
    sizeBytes: record?.sizeBytes ?? 0,
    labels: record?.labels ?? NO_LABELS,
  }
}

function parentKey(parent: Parent | undefined): ObjectKey | undefined {
  return parent === undefined ? undefined : formatKey(parent.key)
}
