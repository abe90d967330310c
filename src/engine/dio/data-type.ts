/** Types of objects: a name that is stored with each, a schema of its fields, and what it is linked to. */
import { AteError } from '../error.js'
import type { ChildLink, ForeignLink, LinkDefinition, MapLink, VecLink, WeakLink } from './link-definition.js'
import type { DaoChild } from './links/dao-child.js'
import type { DaoForeign } from './links/dao-foreign.js'
import type { DaoMap } from './links/dao-map.js'
import type { DaoVec } from './links/dao-vec.js'
import type { DaoWeak } from './links/dao-weak.js'
import type { ObjectKey } from './object-key.js'
import type { StandardSchema } from './standard-schema.js'

export type Links = Readonly<Record<string, LinkDefinition>>

export interface DataType<T extends object = object, L extends Links = Links> {
  readonly name: string
  readonly schema: StandardSchema<T>
  readonly links: L
  readonly options: StoredOptions
}

/** The options of some type: they get and give its fields. */
export interface StoredOptions {
  readonly index?: readonly string[]
  readonly merge?: (base: object, theirs: object, mine: object) => object | undefined
  readonly stored?: { readonly write: (fields: object) => object; readonly read: (stored: object) => unknown }
}

export interface TypeOptions<T> {
  /** Fields that objects can be found by: strings, numbers or booleans. */
  readonly index?: readonly (keyof T & string)[]
  /**
   * Resolves a conflict: `base` is what both began from, `theirs` what was committed meanwhile. Undefined: it cannot be
   * resolved. Without it, a conflict ends the transaction.
   */
  readonly merge?: (base: T, theirs: T, mine: T) => T | undefined
  /** What is stored instead of the fields, and back; `read` also gets what earlier versions of the program stored. */
  readonly stored?: { readonly write: (fields: T) => object; readonly read: (stored: object) => unknown }
}

/** The fields of a type, without links. */
export type FieldsOf<D> = D extends DataType<infer T> ? T : never

/** An object of a type: its fields, its links, and its key (which `keyOf` gives too, where a field has that name). */
export type Dao<D> =
  D extends DataType<infer T, infer L>
    ? T & { readonly [K in keyof L]: Linked<L[K]> } & (T extends { key: unknown }
          ? unknown
          : { readonly key: ObjectKey })
    : never

type Linked<K> =
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

const MAX_NAME_LENGTH = 100
const MAX_LINKS = 100

/**
 * `dataType('Account', plain<{ name: string }>(), { transfers: vecOf(Transfer) })`. The name must be unique in a chain: it
 * is what objects are recognized by. BAD_ARGUMENT for an impossible name.
 */
export function dataType<T extends object, L extends Links = Record<never, never>>(
  name: string,
  schema: StandardSchema<T>,
  links?: L,
  options: TypeOptions<T> = {},
): DataType<T, L> {
  // Without links L is the empty record.
  const all = links ?? ({} as L)
  const names = Object.keys(all)
  if (name === '' || [name, ...names].some((one) => one.length > MAX_NAME_LENGTH) || names.length > MAX_LINKS)
    throw new AteError('BAD_ARGUMENT', `The name of a type or link is empty or too long, or there are too many links.`)
  return Object.freeze({ name, schema, links: all, options: erase(options) })
}

/** As options of some type: what they are called with has been let through by the schema. */
function erase<T extends object>({ index, merge, stored }: TypeOptions<T>): StoredOptions {
  const known = (fields: object): T => fields as T
  return {
    ...(index === undefined ? {} : { index }),
    ...(merge === undefined ? {} : { merge: (base, theirs, mine) => merge(known(base), known(theirs), known(mine)) }),
    ...(stored === undefined
      ? {}
      : { stored: { write: (fields) => stored.write(known(fields)), read: (value) => stored.read(value) } }),
  }
}
