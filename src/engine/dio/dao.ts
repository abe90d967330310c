/** Objects as programs have them: to be read (`Dao`, and what its links are) and to be changed (`DaoMut`). */
import type { AteSession } from '../trust/session.js'
import type { DataType, InputOf } from './data-type.js'
import type { ChildLink, ForeignLink, MapLink, VecLink, WeakLink } from './link-definition.js'
import type { ObjectKey } from './object-key.js'

/** What a reader gets of fields: all of it is frozen. (Of a date and of bytes TypeScript knows no form that is.) */
export type Frozen<T> = unknown extends T
  ? T
  : T extends string | number | bigint | boolean | symbol | null | undefined | Date | Uint8Array
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<Frozen<K>, Frozen<V>>
      : T extends ReadonlySet<infer V>
        ? ReadonlySet<Frozen<V>>
        : { readonly [K in keyof T]: Frozen<T[K]> }

/**
 * An object as it was when it was read: its fields, its links, and its key (which `keyOf` gives too, where a field has that
 * name). It is frozen.
 */
export type Dao<D> =
  D extends DataType<infer T, infer L>
    ? Frozen<T> & { readonly [K in keyof L]: Linked<L[K]> } & (T extends { key: unknown }
          ? unknown
          : { readonly key: ObjectKey })
    : never

/** An object of a transaction: as `Dao`, and what is changed of it and of its links is committed. Wherever a `Dao` is wanted it will do. */
export type DaoMut<D> =
  D extends DataType<infer T, infer L>
    ? T & { readonly [K in keyof L]: LinkedMut<L[K]> } & (T extends { key: unknown }
          ? unknown
          : { readonly key: ObjectKey })
    : never

/** What an object that is read has for a link of its type. */
export type Linked<K> =
  K extends VecLink<infer C>
    ? DaoVec<C>
    : K extends MapLink<infer C>
      ? DaoMap<C>
      : K extends ChildLink<infer C>
        ? DaoChild<C>
        : K extends WeakLink<infer C>
          ? DaoWeak<C>
          : K extends ForeignLink
            ? DaoForeign
            : never

/** What an object of a transaction has for a link of its type. */
export type LinkedMut<K> =
  K extends VecLink<infer C>
    ? DaoVecMut<C>
    : K extends MapLink<infer C>
      ? DaoMapMut<C>
      : K extends ChildLink<infer C>
        ? DaoChildMut<C>
        : K extends WeakLink<infer C>
          ? DaoWeakMut<C>
          : K extends ForeignLink
            ? DaoForeignMut
            : never

/** `name`: in a map, the name of the child; empty elsewhere, and for a child that was changed where it is. */
export type CollectionEvent<D> =
  | { readonly kind: 'stored' | 'changed'; readonly key: ObjectKey; readonly name: string; readonly dao: Dao<D> }
  | { readonly kind: 'deleted'; readonly key: ObjectKey; readonly name: string }

/** Events from now on, until it is closed, `break` leaves its loop, or the chain is closed. */
export type Subscription<D> = AsyncIterableIterator<CollectionEvent<D>> & Disposable

/** Children of an object in an order, deleted with it. Of a type with `vecOf`. `O`: what its children are given out as. */
export interface DaoVec<D extends DataType, O = Dao<D>> {
  /** The child at `index`, from the end when negative. */
  at(index: number): Promise<O | undefined>
  /** How many there are: it reads the collection. */
  length(): Promise<number>
  /** Their keys, in their order. */
  keys(): AsyncGenerator<ObjectKey>
  /** What becomes of the children from now on, in the order of the commits, once they are durable. */
  subscribe(): Subscription<D>
  /**
   * Calls `listener` after each commit for each child that it stored, changed or deleted, and when the chain is closed: as
   * `subscribe`, for who reads no events.
   *
   * @internal
   */
  onChange(listener: () => void): Disposable
  /** One after another, as they are asked for. */
  [Symbol.asyncIterator](): AsyncGenerator<O>
}

/** As `DaoVec`, in a transaction. */
export interface DaoVecMut<D extends DataType> extends DaoVec<D, DaoMut<D>> {
  /** Stores a new child behind all others: also behind those that others are adding at the same time. */
  push(fields: InputOf<D>): DaoMut<D>
  /** Stores a new child before the one that is at `index` now; at the end when there are not so many. */
  insert(index: number, fields: InputOf<D>): Promise<DaoMut<D>>
  /** Makes an object a child, the last one, wherever it was before. CYCLE. */
  attach(dao: object): void
  /** Deletes a child. NOT_FOUND when it is none. */
  remove(child: ObjectKey | object): Promise<void>
  /** Deletes all children. */
  clear(): Promise<void>
}

/** Children of an object by name, deleted with it. Of a type with `mapOf`. `O`: what its children are given out as. */
export interface DaoMap<D extends DataType, O = Dao<D>> {
  /** The child of a name; undefined when there is none. NO_READ_KEY, INVALID_OBJECT, BODY_DAMAGED. */
  get(name: string): Promise<O | undefined>
  /** True when there is a child of that name. */
  has(name: string): Promise<boolean>
  /** How many there are: it reads the collection. */
  size(): Promise<number>
  /** In no order. */
  keys(): AsyncGenerator<string>
  /** What becomes of the children from now on, in the order of the commits, once they are durable. */
  subscribe(): Subscription<D>
  /** Names and children, in no order. */
  [Symbol.asyncIterator](): AsyncGenerator<[string, O]>
}

/** As `DaoMap`, in a transaction. Writers of different names never conflict. */
export interface DaoMapMut<D extends DataType> extends DaoMap<D, DaoMut<D>> {
  /** Stores a new child under a name; the one that had it is deleted. */
  set(name: string, fields: InputOf<D>): DaoMut<D>
  /** The child of a name, stored first when there is none. */
  getOrSet(name: string, fields: () => InputOf<D>): Promise<DaoMut<D>>
  /** True when there was one. */
  delete(name: string): Promise<boolean>
  /** Deletes all children. */
  clear(): Promise<void>
}

/** At most one child of an object, which is deleted with it. Of a type with `childOf`. */
export interface DaoChild<D extends DataType, O = Dao<D>> {
  /** The child; undefined when there is none. NO_READ_KEY, INVALID_OBJECT, BODY_DAMAGED. */
  load(): Promise<O | undefined>
  /** True when there is one. */
  isSet(): Promise<boolean>
  /**
   * What becomes of the child from now on, in the order of the commits, once they are durable. Where one takes the place of
   * another, that one is deleted.
   */
  subscribe(): Subscription<D>
}

/** As `DaoChild`, in a transaction. */
export interface DaoChildMut<D extends DataType> extends DaoChild<D, DaoMut<D>> {
  /** Stores a new child; the one before is deleted. */
  store(fields: InputOf<D>): DaoMut<D>
  /** True when there was one, which is deleted. */
  clear(): Promise<boolean>
}

/** A reference of an object to another one, which has its own life. Of a type with `weakTo`. */
export interface DaoWeak<D extends DataType, O = Dao<D>> {
  /** The key of the object, which may be gone; undefined when it refers to nothing. */
  readonly key: ObjectKey | undefined
  /** Undefined when it refers to nothing, or to what is not there any more. */
  load(): Promise<O | undefined>
}

/** As `DaoWeak`, in a transaction. */
export interface DaoWeakMut<D extends DataType> extends DaoWeak<D, DaoMut<D>> {
  /** Refers to an object from now on. */
  set(target: ObjectKey | object): void
  /** Refers to nothing from now on. */
  clear(): void
}

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
export interface DaoForeign {
  /** The reference of a name; undefined when there is none. */
  get(name: string): ForeignReference | undefined
  /**
   * The object, with the session that loaded this one; undefined when there is no reference of that name. It is of the type
   * that is asked for, or the error is WRONG_TYPE. CHAIN_NOT_FOUND, NOT_FOUND, NO_READ_KEY, BAD_ARGUMENT for what cannot be
   * the name of a chain, NOT_SUPPORTED for an address, and what opening that chain may end in.
   */
  load<D extends DataType>(name: string, type: D, chains: ForeignChains): Promise<Dao<D> | undefined>
  /** The names of all references, in no order. */
  names(): string[]
}

/** As `DaoForeign`, in a transaction. */
export interface DaoForeignMut extends DaoForeign {
  /** Refers to an object of another chain, instead of what had the name. BAD_ARGUMENT, OBJECT_TOO_LARGE. */
  set(name: string, reference: ForeignReference): void
  /** Takes a reference away, if there is one. */
  delete(name: string): void
}
