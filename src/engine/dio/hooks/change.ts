/** One object of a commit as hooks see it: what it was, what it is about to be, decoded when it is looked at, and frozen. */
import { MAX_OBJECT_BYTES } from '../../limits.js'
import type { Frozen } from '../dao.js'
import type { DataType, FieldsOf } from '../data-type.js'
import { fieldsFromBytes } from '../fields.js'
import { deepFreeze } from '../freeze.js'
import { formatKey, type KeyParts, type ObjectKey } from '../object-key.js'
import { decodeFields } from '../stored-value.js'

/** An object before or after. */
export interface Version {
  readonly type: string
  readonly parent: KeyParts | undefined
  readonly labels: ReadonlyMap<string, string>
  /** Tells it from other versions of the object; undefined for one that is not put yet. */
  readonly updatedAt: number | undefined
  /** The bytes of its fields. NO_READ_KEY, BODY_DAMAGED. */
  readonly data: () => Uint8Array
}

/** What every change of an object tells. */
export interface ChangeBase {
  /** Of the object. */
  readonly key: ObjectKey
  /** Name of its type. */
  readonly type: string
  /** Where it comes to lie, where it lay: undefined for a root. */
  readonly parent: ObjectKey | undefined
  /** As `parent`, before the change. */
  readonly parentBefore: ObjectKey | undefined
  /** Those it will have; of one that is deleted, those it had. */
  readonly labels: ReadonlyMap<string, string>
  /** The same with the fields of a type; undefined when it is of another one. */
  as<D extends DataType>(type: D): Change<FieldsOf<D>> | undefined
}

/** Fields are as the type's schema gives them in what `as` returns, as they are stored otherwise. INVALID_OBJECT, NO_READ_KEY. */
export type Change<T extends object = object> = ChangeBase &
  (
    | { readonly kind: 'created'; readonly fields: Frozen<T>; readonly before: undefined }
    | { readonly kind: 'changed'; readonly fields: Frozen<T>; readonly before: Frozen<T> }
    | { readonly kind: 'deleted'; readonly fields: undefined; readonly before: Frozen<T> }
  )

/** One of the two versions at least must be there. */
export function changeOf(key: KeyParts, before: Version | undefined, after: Version | undefined): Change {
  // `kind` says which of the two there are.
  return new LazyChange(key, before, after, undefined) as unknown as Change
}

class LazyChange {
  readonly kind: Change['kind']
  readonly key: ObjectKey
  readonly type: string
  readonly parent: ObjectKey | undefined
  readonly parentBefore: ObjectKey | undefined
  readonly labels: ReadonlyMap<string, string>
  readonly #parts: KeyParts
  readonly #before: Version | undefined
  readonly #after: Version | undefined
  readonly #type: DataType | undefined
  #fields: object | undefined
  #fieldsBefore: object | undefined

  constructor(key: KeyParts, before: Version | undefined, after: Version | undefined, type: DataType | undefined) {
    const latest = after ?? before
    this.kind = before === undefined ? 'created' : after === undefined ? 'deleted' : 'changed'
    this.key = formatKey(key)
    this.type = latest?.type ?? ''
    this.parent = keyOf(after)
    this.parentBefore = keyOf(before)
    this.labels = latest?.labels ?? new Map<string, string>()
    this.#parts = key
    this.#before = before
    this.#after = after
    this.#type = type
  }

  get fields(): object | undefined {
    return (this.#fields ??= this.#decode(this.#after))
  }

  get before(): object | undefined {
    return (this.#fieldsBefore ??= this.#decode(this.#before))
  }

  as(type: DataType): object | undefined {
    return type.name === this.type ? new LazyChange(this.#parts, this.#before, this.#after, type) : undefined
  }

  #decode(version: Version | undefined): object | undefined {
    if (version === undefined) return undefined
    const bytes = version.data()
    const type = this.#type
    const fields =
      type?.name === version.type ? fieldsFromBytes(type, bytes) : decodeFields(bytes, MAX_OBJECT_BYTES, version.type)
    deepFreeze(fields)
    return fields
  }
}

function keyOf(version: Version | undefined): ObjectKey | undefined {
  return version?.parent === undefined ? undefined : formatKey(version.parent)
}
