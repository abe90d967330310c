/**
 * A transaction: reads see its own changes, and `commit` puts them into one batch of the chain, or none of them. Objects it
 * gives out may be changed until then: what differs from what was loaded is stored. After a commit, and after a conflict,
 * it begins a new transaction; objects of the one before are frozen.
 */
import { AteError, errorCode } from '../error.js'
import { MAX_PROOF_KEYS } from '../limits.js'
import { PROOF_ENTRY_BYTES } from '../log/format/proof-format.js'
import type { RecordReader } from '../transaction/record-reader.js'
import type { ReadRule, WriteRule } from '../trust/rules.js'
import { type CommitOptions, CommitWait, type Durability } from './commit-options.js'
import { keyOf } from './dao-state.js'
import type { Dao, DaoMut } from './dao.js'
import { type DataType, demandType, type IndexedFieldOf, type IndexedValueOf, type InputOf } from './data-type.js'
import { AccessKeys, ancestors } from './access.js'
import { Dio } from './dio.js'
import { copyOf } from './copy.js'
import { checkFields } from './fields.js'
import { deepFreeze } from './freeze.js'
import { judge } from './hooks/judge.js'
import type { ProposedCommit } from './hooks/proposed-commit.js'
import type { LinkEditor } from './links/link-host.js'
import { newLinks } from './links/new-links.js'
import { formatKey, isSameKey, type KeyParts, type ObjectKey, parseKey } from './object-key.js'
import { ObjectWriter, type ParentSpot } from './object-writer.js'
import { refuseLargeLinks } from './object-record.js'
import { storeReadRule } from './read-ring.js'
import { type Orphans, removeObject } from './removal.js'
import { INHERITED, refuseManyKeys } from './rule-record.js'
import { Tracked } from './tracked.js'

/** What an object is stored as. */
export interface StoreOptions<D> {
  /** Its type. */
  type: D
  /** A key of its own, for an object that is found by it. EXISTS when there is one. */
  key?: ObjectKey
}

/** What becomes of what lies below an object that is deleted. */
export interface DeleteOptions {
  /** The default is `delete`. */
  children?: Orphans
}

/**
 * A transaction: `commit` puts its changes into one batch of the chain, or none of them. Objects that it gives out may be changed
 * until then. Made by `Chain.dioMut`; after a commit, and after a conflict, it begins a new one.
 */
// Of two signatures the second makes it a `Dio`: TypeScript cannot tell of a type in general that a `DaoMut` is a `Dao`.
export class DioMut extends Dio {
  /** Of what has been done since the last commit: most transactions are the only one of their DIO. */
  #begun: ObjectWriter | undefined
  #isCommitting = false
  #isOver = false

  get #writer(): ObjectWriter {
    return (this.#begun ??= new ObjectWriter(this.objects, this.session, this.keys))
  }

  /** As `Dio.load`, to be changed. */
  override load<D extends DataType>(type: D, key: ObjectKey): Promise<DaoMut<D>>
  override load<D extends DataType>(type: D, key: ObjectKey): Promise<Dao<D>>
  override load(type: DataType, key: ObjectKey): Promise<unknown> {
    return super.load(type, key)
  }

  /** As `Dio.tryLoad`, to be changed. */
  override tryLoad<D extends DataType>(type: D, key: ObjectKey): Promise<DaoMut<D> | undefined>
  override tryLoad<D extends DataType>(type: D, key: ObjectKey): Promise<Dao<D> | undefined>
  override tryLoad(type: DataType, key: ObjectKey): Promise<unknown> {
    return super.tryLoad(type, key)
  }

  /** As `Dio.loadMany`, to be changed. */
  override loadMany<D extends DataType>(type: D, keys: Iterable<ObjectKey>): Promise<DaoMut<D>[]>
  override loadMany<D extends DataType>(type: D, keys: Iterable<ObjectKey>): Promise<Dao<D>[]>
  override loadMany(type: DataType, keys: Iterable<ObjectKey>): Promise<unknown[]> {
    return super.loadMany(type, keys)
  }

  /** As `Dio.roots`, to be changed. */
  override roots<D extends DataType>(type: D): AsyncGenerator<DaoMut<D>>
  override roots<D extends DataType>(type: D): AsyncGenerator<Dao<D>>
  override roots(type: DataType): AsyncGenerator {
    return super.roots(type)
  }

  /** As `Dio.find`, to be changed. */
  override find<D extends DataType, F extends IndexedFieldOf<D>>(
    type: D,
    field: F,
    value: IndexedValueOf<D, F>,
  ): AsyncGenerator<DaoMut<D>>
  override find<D extends DataType, F extends IndexedFieldOf<D>>(
    type: D,
    field: F,
    value: IndexedValueOf<D, F>,
  ): AsyncGenerator<Dao<D>>
  override find<D extends DataType, F extends IndexedFieldOf<D>>(
    type: D,
    field: F,
    value: IndexedValueOf<D, F>,
  ): AsyncGenerator {
    return super.find(type, field, value)
  }

  /** A new object without a parent; what is returned may be changed until the commit. INVALID_OBJECT, EXISTS, BAD_ARGUMENT. */
  store<D extends DataType>(fields: InputOf<D>, options: StoreOptions<D>): DaoMut<D> {
    this.#demandOngoing()
    demandType(options)
    const { type, key } = options
    if (key === undefined) return this.#add(type, fields, this.objects.newKey('root'), undefined)
    const parts = parseKey(key)
    if (this.#writer.tracked(formatKey(parts)) !== undefined || this.#writer.recordOf(parts) !== undefined)
      throw new AteError('EXISTS', `There is an object ${key} already.`)
    return this.#add(type, fields, parts, undefined)
  }

  /** Deletes an object; its children go with it, or become objects without a parent. NOT_FOUND. */
  delete(object: ObjectKey | object, { children = 'delete' }: DeleteOptions = {}): void {
    this.#demandOngoing()
    const key = typeof object === 'string' ? object : keyOf(object)
    if (!removeObject(this.#writer, parseKey(key), children))
      throw new AteError('NOT_FOUND', `There is no object ${key}.`)
  }

  /** Deletes all objects without a parent, of one type or of all, with their children. */
  deleteRoots(type?: DataType): void {
    for (const key of [...this.rootKeys(type)]) this.delete(key)
  }

  /**
   * Says who may read and change an object, and what lies below it; what is not said stays as it was. Reading goes by the
   * rules at the commit: what is written before in the same transaction is protected, too. What others have written
   * earlier, below it, is sealed anew when it is next changed. NO_READ_KEY, BAD_ARGUMENT.
   */
  protect(object: object, rules: { read?: ReadRule; write?: WriteRule }): void {
    const tracked = this.#writer.tracked(keyOf(object))
    if (tracked === undefined)
      throw new AteError('BAD_ARGUMENT', `The object ${keyOf(object)} is of an earlier transaction: load it again.`)
    for (const rule of [rules.read, rules.write]) if (rule?.kind === 'any') refuseManyKeys(rule.keys)
    const { read, write } = tracked.rules ?? INHERITED
    this.#writer.setRules(tracked, {
      read:
        rules.read === undefined ? read : storeReadRule(this.#writer, this.keys, this.objects.random, read, rules.read),
      write: rules.write ?? write,
    })
  }

  /** Makes a child an object without a parent. NOT_FOUND. */
  detach(object: ObjectKey | object): void {
    this.#demandOngoing()
    const key = parseKey(typeof object === 'string' ? object : keyOf(object))
    this.#demandThere(key)
    this.#writer.move(key, undefined)
  }

  /** Something would be committed. Costs a look at every object that was loaded. */
  get hasChanges(): boolean {
    return this.#writer.collect() > 0 || this.#writer.hasChanges
  }

  /**
   * Commits everything since the last commit. CONFLICT when something that was read has been changed by another one:
   * nothing has happened then, and what was done is given up. After other errors that come before anything has happened
   * (INVALID_OBJECT, NO_SPACE, ABORTED) it may be tried again.
   */
  async commit(options: CommitOptions = {}): Promise<void> {
    this.objects.demandOpen()
    const durability = this.#demandDurability(options.durability)
    using wait = new CommitWait(options)
    const writer = this.#writer
    if (this.#isCommitting) throw new AteError('BAD_ARGUMENT', 'A commit of this transaction is under way already.')
    const moreBytes = this.#collect(writer)
    if (!writer.hasChanges) {
      this.#begin()
      return
    }
    await wait.unlessAborted(this.#commit(writer, durability, moreBytes, wait))
  }

  /**
   * No other transaction begins: whoever would still change something is told.
   *
   * @internal
   */
  end(): void {
    this.#isOver = true
  }

  /** Gives up everything since the last commit. One that waits still, for its turn or for validators, fails with ABORTED. */
  cancel(): void {
    this.#begin()
  }

  protected override get reader(): RecordReader {
    this.objects.demandOpen()
    return this.#writer.transaction
  }

  protected override get everything(): RecordReader {
    this.objects.demandOpen()
    this.#writer.putNew()
    this.#writer.putIndexed()
    return this.#writer.transaction
  }

  protected override async loadParts(type: DataType, key: KeyParts): Promise<object | undefined> {
    const text = formatKey(key)
    const known = this.#writer.tracked(text)
    if (known !== undefined) return known.expect(type)
    const record = this.recordOf(key)
    if (record === undefined) return undefined
    const data = await this.dataOf(key, record)
    // Somebody may have loaded it meanwhile: all must get the same object.
    const meanwhile = this.#writer.tracked(text)
    if (meanwhile !== undefined) return meanwhile.expect(type)
    const lateLinks = newLinks(type, this.objects.random, record.links)
    const links = lateLinks.size === 0 ? record.links : new Map([...record.links, ...lateLinks])
    const dao = this.decode(type, key, { ...record, links }, data)
    const { parent } = record
    this.#writer.track(new Tracked({ key, text, type, dao, links, lateLinks, parent, base: { record, data } }))
    return dao
  }

  protected override editor(): LinkEditor {
    this.#demandOngoing()
    return {
      storeChild: (type, fields, parent) => this.#add(type, fields, this.objects.newKey('child'), parent),
      moveChild: (key, parent) => {
        const parts = parseKey(key)
        this.#demandThere(parts)
        this.#refuseCycle(parts, parent.key)
        this.#writer.move(parts, parent)
      },
      remove: (key) => void removeObject(this.#writer, parseKey(key), 'delete'),
      setLink: (owner, name, value) => {
        const tracked = this.#writer.tracked(owner)
        if (tracked === undefined)
          throw new AteError('BAD_ARGUMENT', `The object ${owner} is of an earlier transaction: load it again.`)
        const links = new Map(tracked.links).set(name, value)
        refuseLargeLinks(links)
        tracked.links = links
        tracked.isMoved = true
      },
    }
  }

  /** The key is nobody's: given out at random, or looked for. */
  #add<D extends DataType>(type: D, given: InputOf<D>, key: KeyParts, parent: ParentSpot | undefined): DaoMut<D> {
    const text = formatKey(key)
    // A copy: what the caller has stays the caller's.
    const fields = copyOf(checkFields(type, given), type)
    const links = newLinks(type, this.objects.random)
    const dao = this.dress(type, text, fields, undefined, links)
    const place = parent === undefined ? undefined : this.#writer.place(key, parent)
    if (place === undefined) this.#writer.addRoot(key)
    const tracked = new Tracked({ key, text, type, dao, links, parent: place, base: undefined })
    this.#writer.track(tracked)
    this.#writer.addCollections(key, links)
    // Its fields are those of the type, and its links were just made.
    return dao as DaoMut<D>
  }

  #demandOngoing(): void {
    if (this.#isOver)
      throw new AteError('BAD_ARGUMENT', 'The transaction is over: what is changed now would be lost.', {
        hint: 'Begin another one, and load what it is to change.',
      })
  }

  #demandThere(key: KeyParts): void {
    if (this.#writer.tracked(formatKey(key)) !== undefined || this.#writer.recordOf(key) !== undefined) return
    throw new AteError('NOT_FOUND', `There is no object ${formatKey(key)}.`)
  }

  /** Walks up from the new parent: an object that lay below itself could be reached by nobody. */
  #refuseCycle(child: KeyParts, parent: KeyParts): void {
    const look = (key: KeyParts) => this.#writer.tracked(formatKey(key)) ?? this.#writer.recordOf(key)
    for (const [at] of ancestors(parent, look))
      if (isSameKey(at, child)) throw new AteError('CYCLE', 'An object cannot become a child of what lies below it.')
  }

  #demandDurability(asked: Durability | undefined): Durability {
    const { durability, shared } = this.objects
    if (asked === undefined || asked === 'memory' || asked === durability) return asked ?? durability
    if (asked === 'server' && shared !== undefined) return asked
    if (asked === 'local' && shared?.isOnDisk === true) return asked
    throw new AteError(
      'NOT_SUPPORTED',
      `This chain cannot make a commit durable as '${asked}', only as '${durability}'.`,
    )
  }

  async #commit(writer: ObjectWriter, durability: Durability, moreBytes: number, wait: CommitWait): Promise<void> {
    this.#isCommitting = true
    try {
      const proposed = writer.propose()
      if (proposed !== undefined) await this.#judge(writer, proposed, wait)
      await this.objects.records.commit(writer.transaction, {
        // What the server has synced need not be synced here.
        isDurable: durability === 'local',
        taken: durability === 'server' ? this.objects.taken : undefined,
        // Whoever waited for validators may have gone on.
        moreBytes: proposed === undefined ? moreBytes : this.#collect(writer),
        settle: (latest, hasWaited) => {
          this.#demandBegun(writer)
          wait.refuseAborted()
          if (hasWaited) writer.collect()
          writer.settle(latest)
        },
        finish: () => writer.finish(),
        signers: () => writer.signers,
        onApplied: () => {
          writer.release()
          if (this.#begun === writer) this.#begin()
        },
      })
    } catch (error) {
      // Of one that was given up nothing concerns what has begun since.
      if (this.#begun === writer) {
        this.#isCommitting = false
        if (errorCode(error) === 'CONFLICT') this.#begin()
      }
      throw error
    }
  }

  /** Returns what comes to the changes when they are applied, at most. */
  #collect(writer: ObjectWriter): number {
    return writer.collect() + (this.objects.isSigned ? MAX_PROOF_KEYS * PROOF_ENTRY_BYTES : 0)
  }

  /** REFUSED, HOOK_FAILED, TIMED_OUT, ABORTED. */
  async #judge(writer: ObjectWriter, proposed: ProposedCommit, wait: CommitWait): Promise<void> {
    await judge(this.objects.hooks.validators, proposed, wait.signal)
    this.#demandBegun(writer)
    writer.noteJudged(proposed)
  }

  /** ABORTED. */
  #demandBegun(writer: ObjectWriter): void {
    if (writer !== this.#begun) throw new AteError('ABORTED', 'The transaction was given up; nothing has been changed.')
  }

  #begin(): void {
    this.#isCommitting = false
    if (this.#begun === undefined) return
    this.#begun.transaction.end()
    for (const dao of this.#begun.daos()) deepFreeze(dao)
    this.keys = new AccessKeys(this.objects, this.session)
    this.#begun = undefined
  }
}
