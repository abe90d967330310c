/**
 * Reads objects as they were at one moment. What it gives out is frozen: changes are made through a DioMut. It costs
 * memory for what is replaced while it is in use, and need not be closed.
 */
import type { BytesUse } from '../codec/message-pack.js'
import { AteError, errorCode } from '../error.js'
import type { AteSession } from '../trust/session.js'
import { AccessKeys } from './access.js'
import type { RecordReader } from '../transaction/record-reader.js'
import { Collection } from './collection.js'
import { decodeKeys } from './collection-record.js'
import type { Dao, DaoMut, Subscription } from './dao.js'
import type { DataType, IndexedFieldOf, IndexedValueOf } from './data-type.js'
import { fieldsFromBytes } from './fields.js'
import { deepFreeze } from './freeze.js'
import { rootsTopic } from './commit-feed.js'
import { type DaoInfo, infoFrom, recordInfo, setDaoState } from './dao-state.js'
import { indexPlace } from './field-index.js'
import { labelPlace } from './hooks/labels.js'
import { FIELD_INDEX_KIND, KEY_BLOCK_KIND, OBJECT_KIND, ROOT_KIND } from './kinds.js'
import { linksOf } from './link-definition.js'
import { bindLinks } from './links/bind.js'
import type { EventSource, LinkEditor, LinkHost } from './links/link-host.js'
import { subscribeTo } from './links/subscription.js'
import { placeOfName } from './object-names.js'
import { formatKey, type KeyParts, type ObjectKey, parseKey } from './object-key.js'
import { decodeObject, type LinkValue, type ObjectRecord } from './object-record.js'
import type { ObjectStore } from './object-store.js'
import { pages } from './pages.js'

/**
 * Reads objects as they were at one moment; what it gives out is frozen. Made by `Chain.dio`. It costs memory for what is
 * replaced while it is in use, and need not be closed.
 */
export class Dio {
  protected readonly objects: ObjectStore
  protected readonly session: AteSession
  protected keys: AccessKeys
  /** Made when an object has links. */
  #host: LinkHost | undefined
  #reader: RecordReader | undefined

  /** @internal */
  constructor(objects: ObjectStore, session: AteSession, reader?: RecordReader) {
    this.objects = objects
    this.session = session
    this.keys = new AccessKeys(objects, session)
    this.#reader = reader
  }

  get #linkHost(): LinkHost {
    return (this.#host ??= this.#makeHost())
  }

  #makeHost(): LinkHost {
    const { objects, session } = this
    return {
      session,
      // Links of an object that is only read give out what this one does, by types that say so.
      tryLoad: <D extends DataType>(type: D, key: ObjectKey) =>
        this.tryLoad(type, key) as Promise<DaoMut<D> | undefined>,
      readable: <D extends DataType>(type: D, key: ObjectKey) =>
        this.#readable(type, key) as Promise<DaoMut<D> | undefined>,
      collection: (number) => new Collection(this.everything, number),
      placeOf: (name) => placeOfName(objects.crypto, name),
      events: Dio.#eventsFor(objects, session),
      edit: () => this.editor(),
    }
  }

  /** Holds no DIO: a state that is not read any more must not be kept by who wants to know what becomes of it. */
  static #eventsFor(objects: ObjectStore, session: AteSession): EventSource {
    return {
      subscribe: (topic, listener) => objects.feed.subscribe(topic, listener),
      read: async (type, key, record) => new Dio(objects, session).#read(type, key, record),
    }
  }

  /** What reads by keys go to. */
  protected get reader(): RecordReader {
    this.objects.demandOpen()
    return (this.#reader ??= this.objects.records.snapshot())
  }

  /** What listings go to. */
  protected get everything(): RecordReader {
    return this.reader
  }

  protected editor(): LinkEditor {
    throw new AteError('READ_ONLY', 'This object was loaded for reading only.', { hint: 'Load it with a DioMut.' })
  }

  /** NOT_FOUND, WRONG_TYPE, INVALID_OBJECT, BODY_DAMAGED. */
  async load<D extends DataType>(type: D, key: ObjectKey): Promise<Dao<D>> {
    const loading = this.loadParts(type, parseKey(key))
    const dao = loading instanceof Promise ? await loading : loading
    if (dao === undefined) throw new AteError('NOT_FOUND', `There is no object ${key}.`)
    // Of the type asked for, which was compared with what is stored.
    return dao as Dao<D>
  }

  /** As `load`; undefined where there is none. */
  async tryLoad<D extends DataType>(type: D, key: ObjectKey): Promise<Dao<D> | undefined> {
    const loading = this.loadParts(type, parseKey(key))
    const dao = loading instanceof Promise ? await loading : loading
    // Of the type asked for, which was compared with what is stored.
    return dao as Dao<D> | undefined
  }

  /** Those that are there and can be read, in the order of `keys`. */
  async loadMany<D extends DataType>(type: D, keys: Iterable<ObjectKey>): Promise<Dao<D>[]> {
    const found: Dao<D>[] = []
    for (const key of keys) {
      const dao = await this.#readable(type, key)
      if (dao !== undefined) found.push(dao)
    }
    return found
  }

  /** As `tryLoad`; undefined too for what the session cannot read: listings leave it out. */
  async #readable<D extends DataType>(type: D, key: ObjectKey): Promise<Dao<D> | undefined> {
    try {
      return await this.tryLoad(type, key)
    } catch (error) {
      if (errorCode(error) === 'NO_READ_KEY') return undefined
      throw error
    }
  }

  /** True when there is an object of that key, of whatever type. */
  async exists(key: ObjectKey): Promise<boolean> {
    return this.recordOf(parseKey(key)) !== undefined
  }

  /** What is known of an object without its fields, whoever may read those; undefined when there is none. Reads no body. */
  async info(key: ObjectKey): Promise<DaoInfo | undefined> {
    const record = this.recordOf(parseKey(key))
    return record === undefined ? undefined : infoFrom(key, record.type, recordInfo(record))
  }

  /** The objects that have the label, in no order, of whatever type; load them by their keys. Reads no body. */
  async *labeled(name: string, value: string): AsyncGenerator<DaoInfo> {
    for (const item of this.#pages(FIELD_INDEX_KIND, labelPlace(this.objects.crypto, name, value)))
      for (const key of decodeKeys(item.value)) {
        const info = await this.info(formatKey(key))
        if (info?.labels.get(name) === value) yield info
      }
  }

  /** The objects without a parent, of one type, in no order. */
  async *roots<D extends DataType>(type: D): AsyncGenerator<Dao<D>> {
    for (const key of this.rootKeys(type)) {
      const dao = await this.#readable(type, key)
      if (dao !== undefined) yield dao
    }
  }

  /** Of the objects without a parent; of one type, or of all. */
  *rootKeys(type?: DataType): Generator<ObjectKey> {
    for (const block of this.#pages(KEY_BLOCK_KIND, 0))
      for (const { low, value } of this.#pages(OBJECT_KIND, block.low))
        if (isRoot(decodeObject(value), type)) yield formatKey({ high: block.low, low })
    for (const { value } of this.#pages(ROOT_KIND, 0))
      for (const key of decodeKeys(value)) {
        if (isRoot(this.recordOf(key), type)) yield formatKey(key)
      }
  }

  /** The objects whose indexed field has the value, in no order. BAD_ARGUMENT for a field without an index. */
  async *find<D extends DataType, F extends IndexedFieldOf<D>>(
    type: D,
    field: F,
    value: IndexedValueOf<D, F>,
  ): AsyncGenerator<Dao<D>> {
    for (const key of this.findKeys(type, field, value)) {
      const dao = await this.#readable(type, key)
      if (dao !== undefined && fieldOf(dao, field) === value) yield dao
    }
  }

  /**
   * The keys of the same objects, without reading their fields. There may hardly ever be one of another value: what is
   * compared are 53 bits.
   */
  *findKeys<D extends DataType, F extends IndexedFieldOf<D>>(
    type: D,
    field: F,
    value: IndexedValueOf<D, F>,
  ): Generator<ObjectKey> {
    if (!type.options.index.includes(field))
      throw new AteError('BAD_ARGUMENT', `The type ${type.name} has no index of ${field}.`)
    for (const item of this.#pages(FIELD_INDEX_KIND, indexPlace(this.objects.crypto, type, field, value)))
      for (const key of decodeKeys(item.value)) if (this.recordOf(key)?.type === type.name) yield formatKey(key)
  }

  /**
   * What becomes of the objects of one type without a parent from now on, whatever this DIO reads: in the order of the commits,
   * once they are durable. One that becomes a child is deleted here. See `DaoVec.subscribe`.
   */
  subscribeToRoots<D extends DataType>(type: D): Subscription<D> {
    return subscribeTo(this.#linkHost.events, type, rootsTopic(type.name))
  }

  /** What becomes of one object from now on, wherever it lies, also when there is none yet. See `DaoVec.subscribe`. */
  subscribeTo<D extends DataType>(type: D, key: ObjectKey): Subscription<D> {
    return subscribeTo(this.#linkHost.events, type, formatKey(parseKey(key)))
  }

  /** The record of an object, undefined when there is none. */
  protected recordOf({ high, low }: KeyParts): ObjectRecord | undefined {
    const bytes = this.reader.get(OBJECT_KIND, high, low)
    return bytes === undefined ? undefined : decodeObject(bytes)
  }

  /** A promise only where there is something to wait for: a load costs few of them. */
  protected loadParts(type: DataType, key: KeyParts): object | undefined | Promise<object | undefined> {
    const record = this.recordOf(key)
    if (record === undefined) return undefined
    const data = this.dataOf(key, record)
    if (data instanceof Promise) return data.then((bytes) => this.#frozen(type, key, record, bytes))
    return this.#frozen(type, key, record, data)
  }

  #frozen(type: DataType, key: KeyParts, record: ObjectRecord, data: Uint8Array): object {
    // What lay in bodies was copied for this object alone.
    const isOwn = !(record.data instanceof Uint8Array) && record.transforms === undefined
    const dao = this.decode(type, key, record, data, isOwn ? 'keep' : 'copy')
    deepFreeze(dao)
    return dao
  }

  /** The bytes of an object's fields; a promise only where they must be fetched. NO_READ_KEY, BODY_DAMAGED, UNKNOWN_TRANSFORMER. */
  protected dataOf(key: KeyParts, record: ObjectRecord): Uint8Array | Promise<Uint8Array> {
    // Before anything is fetched that cannot be opened.
    if (record.sealedBy !== undefined) this.keys.key(record.sealedBy, this.reader)
    const data = this.objects.dataOf(record)
    return data instanceof Promise
      ? data.then((bytes) => this.#plain(key, record, bytes))
      : this.#plain(key, record, data)
  }

  #plain(key: KeyParts, record: ObjectRecord, data: Uint8Array): Uint8Array {
    const opened = record.sealedBy === undefined ? data : this.keys.open(record.sealedBy, this.reader, key, data)
    return this.objects.undoTransforms(record, opened)
  }

  /** As it was in an event: frozen, with links that lead to what is there now. LAGGED when a compaction has dropped it. */
  async #read<D extends DataType>(type: D, key: KeyParts, record: ObjectRecord): Promise<Dao<D>> {
    const dao = this.decode(type, key, record, await this.#dataOfEvent(key, record))
    deepFreeze(dao)
    // Of the type asked for, which was compared with what is stored.
    return dao as Dao<D>
  }

  async #dataOfEvent(key: KeyParts, record: ObjectRecord): Promise<Uint8Array> {
    try {
      return await this.dataOf(key, record)
    } catch (error) {
      if (errorCode(error) !== 'BODY_DAMAGED') throw error
      // A compaction may have moved what lies in bodies, which is no change, or dropped that of a version that is gone.
      const now = this.recordOf(key)
      if (now?.updatedAt !== record.updatedAt || now.revision !== record.revision) throw tooLate(error)
      return await this.dataOf(key, now)
    }
  }

  /** `use`: of `data`. */
  protected decode(
    type: DataType,
    key: KeyParts,
    record: ObjectRecord,
    data: Uint8Array,
    use: BytesUse = 'copy',
  ): object {
    if (record.type !== type.name)
      throw new AteError('WRONG_TYPE', `The object ${formatKey(key)} is of the type ${record.type}, not ${type.name}.`)
    return this.dress(type, formatKey(key), fieldsFromBytes(type, data, use), record, record.links)
  }

  /** Makes fields the object that users get: with its key and its links, which are no fields. */
  protected dress(
    type: DataType,
    key: ObjectKey,
    fields: object,
    record: ObjectRecord | undefined,
    links: ReadonlyMap<string, LinkValue>,
  ): object {
    setDaoState(fields, { key, type, record: record === undefined ? undefined : recordInfo(record) })
    if (linksOf(type).size > 0) bindLinks(this.#linkHost, type, key, fields, links)
    if (!Object.hasOwn(fields, 'key')) Object.defineProperty(fields, 'key', { value: key })
    return fields
  }

  #pages(kind: number, high: number): Generator<{ low: number; value: Uint8Array }> {
    return pages(() => this.everything, kind, high)
  }
}

function isRoot(record: ObjectRecord | undefined, type: DataType | undefined): boolean {
  return record !== undefined && record.parent === undefined && (type === undefined || record.type === type.name)
}

function fieldOf(dao: object, field: string): unknown {
  return Reflect.get(dao, field)
}

function tooLate(cause: unknown): AteError {
  return new AteError('LAGGED', 'A version that an event tells of was dropped by a compaction before it was read.', {
    cause,
  })
}
