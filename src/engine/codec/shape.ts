/**
 * Checked readers: a Shape turns an unknown value into a typed one or throws BAD_FORMAT saying where it is wrong.
 * Every length has a bound. Fields that are not asked for are ignored: a later version may add some.
 */
import { AteError } from '../error.js'

/** `where` is the path of the value in errors ("keyring.slots[1].salt"). Messages never hold the value. */
export type Shape<T> = (value: unknown, where: string) => T

/** An integer in [min, max]. */
export function integer(min: number, max: number): Shape<number> {
  return (value, where) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw wrong(where, `is not an integer from ${min} to ${max}`)
  }
}

/** A string of at most `maxLength` UTF-16 units. */
export function text(maxLength: number): Shape<string> {
  return (value, where) => {
    if (typeof value === 'string' && value.length <= maxLength) return value
    throw wrong(where, `is not a string of at most ${maxLength} characters`)
  }
}

/** A byte string of exactly `length` bytes. */
export function bytesOf(length: number): Shape<Uint8Array> {
  return (value, where) => {
    if (value instanceof Uint8Array && value.length === length) return value
    throw wrong(where, `is not a string of ${length} bytes`)
  }
}

/** A byte string of at most `maxLength` bytes. */
export function bytesUpTo(maxLength: number): Shape<Uint8Array> {
  return (value, where) => {
    if (value instanceof Uint8Array && value.length <= maxLength) return value
    throw wrong(where, `is not a string of at most ${maxLength} bytes`)
  }
}

export const yesOrNo: Shape<boolean> = (value, where) => {
  if (typeof value === 'boolean') return value
  throw wrong(where, 'is neither true nor false')
}

/** One of these texts. */
export function oneOf<T extends string>(...texts: readonly T[]): Shape<T> {
  return (value, where) => {
    const found = texts.find((text) => text === value)
    if (found !== undefined) return found
    throw wrong(where, `is none of ${texts.join(', ')}`)
  }
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, where) => (value === null ? null : shape(value, where))
}

/** What stands for a field that is not there. */
export function orElse<T>(shape: Shape<T>, absent: T): Shape<T> {
  return (value, where) => (value === undefined ? absent : shape(value, where))
}

/** At most `maxLength` items of one shape. */
export function listOf<T>(item: Shape<T>, maxLength: number): Shape<T[]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length > maxLength) {
      throw wrong(where, `is not a list of at most ${maxLength} items`)
    }
    const list: readonly unknown[] = value
    return list.map((one, i) => item(one, `${where}[${i}]`))
  }
}

/** A map with at least these fields. */
export function fields<T extends object>(shapes: { readonly [K in keyof T]: Shape<T[K]> }): Shape<T> {
  const names = Object.keys(shapes) as (keyof T & string)[]
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'is not a map')
    const entries = new Map<string, unknown>(Object.entries(value))
    const read = names.map((name) => [name, shapes[name](entries.get(name), `${where}.${name}`)])
    // Each name of T was read with its own shape just above; the compiler cannot follow that through the list.
    return Object.fromEntries(read) as T
  }
}

function wrong(where: string, why: string): AteError {
  return new AteError('BAD_FORMAT', `${where} ${why}`)
}
