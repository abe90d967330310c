/** Types of objects: a name that is stored with each, a schema of its fields, and what it is linked to. */
import { isUnicode } from '../bytes/unicode.js'
import { AteError } from '../error.js'
import { MAX_INDEXED_FIELDS } from '../limits.js'
import type { StandardSchema } from './standard-schema.js'

/**
 * A type: `T` are its fields, `L` its links by their names, `I` the names of the fields that `find` takes, `G` what is given
 * to its schema. Made by `dataType`.
 */
export interface DataType<
  T extends object = object,
  L extends object = object,
  I extends string = string,
  G extends object = object,
> {
  /** What objects of the type are recognized by, unique in a chain. */
  readonly name: string
  /** What their fields are; checked when they are stored, committed and loaded. */
  readonly schema: StandardSchema<G, T>
  /** What they are linked to. */
  readonly links: L
  /** What else was said of the type. */
  readonly options: StoredOptions<I>
}

/** The options of some type: they get and give its fields. */
export interface StoredOptions<I extends string = string> {
  /** Fields that objects are found by. */
  readonly index: readonly I[]
  /** See `TypeOptions`. */
  readonly merge?: (base: object, theirs: object, mine: object) => object | undefined
  /** See `TypeOptions`. */
  readonly stored?: { readonly write: (fields: object) => object; readonly read: (stored: object) => unknown }
}

/** What an indexed field may be. */
export type IndexedValue = string | number | boolean

/** Names of the fields that are texts, numbers or booleans, or left out. */
export type IndexableField<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends IndexedValue ? K : never
}[keyof T] &
  string

/** What a type is beside its name and its fields. */
export interface TypeOptions<T, L = object, I = string> {
  /**
   * What its objects are linked to, by names that no field has: `vecOf`, `mapOf`, `childOf`, `weakTo`, `foreign`. A link to
   * the type itself, or to one that is declared below it, is a getter: `get branches() { return vecOf(Tree) }`; beside
   * one, the parameters of functions (`merge`) need their types written down.
   */
  readonly links?: L & { readonly [K in keyof T]?: never }
  /** Fields that objects can be found by, at most 256. */
  readonly index?: readonly I[]
  /**
   * Resolves a conflict: `base` is what both began from, `theirs` what was committed meanwhile. Undefined: it cannot be
   * resolved. Without it, a conflict ends the transaction.
   */
  readonly merge?: (base: T, theirs: T, mine: T) => T | undefined
  /**
   * What is stored instead of the fields, and back to what the schema takes; `read` also gets what earlier versions of the
   * program stored. A schema that gives out something else than it takes needs it.
   */
  readonly stored?: Stored<T>
}

/** How the fields of a type are stored in another form than they have. */
export interface Stored<T> {
  /** Something that can be stored. INVALID_OBJECT when it throws, or when the schema does not take what `read` makes of it. */
  readonly write: (fields: T) => object
  /** Without it the schema takes what is stored. */
  readonly read?: (stored: object) => unknown
}

/** Of a type whose schema does not take what it gives out. */
export type StoringOptions<T, L = object, I = string> = TypeOptions<T, L, I> & { readonly stored: Stored<T> }

/** The fields of a type, without links. */
export type FieldsOf<D> = D extends DataType<infer T> ? T : never

/** What objects of a type are made of: its fields, before the schema gives them their defaults and forms. */
export type InputOf<D> = D extends DataType<object, object, string, infer G> ? G : never

/** Names of the fields that objects of a type are found by. */
export type IndexedFieldOf<D> = D extends DataType<object, object, infer I> ? I : never

/** What an indexed field of a type may be looked for. */
export type IndexedValueOf<D, F> = F extends keyof FieldsOf<D> ? Extract<FieldsOf<D>[F], IndexedValue> : never

/** For programs that no compiler has checked. BAD_ARGUMENT. */
export function demandType(options: unknown): void {
  const type = typeof options === 'object' && options !== null && 'type' in options ? options.type : undefined
  if (typeof type === 'object' && type !== null && 'name' in type && 'schema' in type) return
  throw new AteError('BAD_ARGUMENT', 'What is stored has no type.', {
    hint: "Name one of dataType(...): store({ commandment: 'Hello' }, { type: World }).",
  })
}

const MAX_NAME_LENGTH = 100
const MAX_LINKS = 100

/**
 * `dataType('Account', plain<{ owner: string }>(), { index: ['owner'], links: { transfers: vecOf(Transfer) } })`. The name
 * must be unique in a chain: it is what objects are recognized by. A schema that gives out something else than it takes needs the option `stored`.
 * BAD_ARGUMENT for an impossible name, and for more than 256 indexed fields.
 */
export function dataType<
  T extends object,
  L extends object = Record<never, never>,
  I extends IndexableField<T> = never,
  G extends object = T,
>(
  name: string,
  schema: StandardSchema<G, T>,
  ...given: T extends G ? [options?: TypeOptions<T, L, I>] : [options: StoringOptions<T, L, I>]
): DataType<T, L, I, G> {
  // Both are this.
  const [options = {}] = given as [options?: TypeOptions<T, L, I>]
  // Without links L is the empty record. They are not looked at: what they refer to may not be declared yet.
  const links = options.links ?? ({} as L)
  const names = Object.keys(links)
  const isBad = (one: string): boolean => one.length > MAX_NAME_LENGTH || !isUnicode(one)
  if (name === '' || [name, ...names].some(isBad) || names.length > MAX_LINKS)
    throw new AteError(
      'BAD_ARGUMENT',
      'The name of a type or link is empty, too long or no Unicode, or there are too many links.',
    )
  if (options.index !== undefined && options.index.length > MAX_INDEXED_FIELDS)
    throw new AteError('BAD_ARGUMENT', `The type ${name} has more than ${MAX_INDEXED_FIELDS} indexed fields.`)
  return Object.freeze({ name, schema, links, options: erase(options) })
}

/** As options of some type: what they are called with has been let through by the schema. */
function erase<T extends object, I extends string>(options: TypeOptions<T, object, I>): StoredOptions<I> {
  const { index = [], merge, stored } = options
  const known = (fields: object): T => fields as T
  return {
    index,
    ...(merge === undefined ? {} : { merge: (base, theirs, mine) => merge(known(base), known(theirs), known(mine)) }),
    ...(stored === undefined
      ? {}
      : { stored: { write: (fields) => stored.write(known(fields)), read: (value) => stored.read?.(value) ?? value } }),
  }
}
