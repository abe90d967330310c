/** Copies of fields: what is stored later is not what the caller goes on changing. */
import { AteError } from '../error.js'
import type { DataType } from './data-type.js'
import { encodeFields } from './stored-value.js'

/** More than can be stored: what goes round in circles ends here. */
const MAX_DEPTH = 64

class NotCopied extends Error {}

/**
 * Members of other kinds than can be stored are refused with BAD_ARGUMENT, naming them; a type that says how it is stored keeps
 * them as they are.
 */
export function copyOf<T extends object>(fields: T, type: DataType): T {
  const keep = type.options.stored === undefined ? refuse : asItIs
  try {
    // Of the same type, member by member.
    return copyValue(fields, 0, keep) as T
  } catch (error) {
    // This says what and where it is: nobody wants to know as long as all is well.
    if (!(error instanceof NotCopied)) throw error
    encodeFields(fields, type.name, (length) => new Uint8Array(length))
    throw new AteError('BAD_ARGUMENT', error.message)
  }
}

function refuse(): never {
  throw new NotCopied('There is something in these fields that cannot be stored.')
}

function asItIs(value: unknown): unknown {
  return value
}

function copyValue(value: unknown, depth: number, keep: (value: unknown) => unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return keep(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (depth > MAX_DEPTH) return keep(value)
  if (isPlain(value)) return copyMembers(value, depth + 1, keep)
  if (value instanceof Date) return new Date(value)
  const copy = (member: unknown): unknown => copyValue(member, depth + 1, keep)
  if (Array.isArray(value)) return value.map(copy)
  if (value instanceof Map) return new Map([...value].map(([name, member]) => [copy(name), copy(member)]))
  return value instanceof Set ? new Set([...value].map(copy)) : keep(value)
}

function copyMembers(value: object, depth: number, keep: (value: unknown) => unknown): unknown {
  const copied: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (name === '__proto__') return keep(value)
    copied[name] = copyValue(Reflect.get(value, name), depth, keep)
  }
  return copied
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
