/**
 * The fields of an object as bytes, and back: MessagePack, with dates, big integers, maps and sets as maps of one key
 * that no field may have.
 */
import { Slab } from '../bytes/slab.js'
import { decodeMessagePack, encodeMessagePackInto, type Packable } from '../codec/message-pack.js'
import { AteError } from '../error.js'

/** Fields whose name begins with it are refused, so that it marks what MessagePack has no type for. */
const MARK = '\u0000'
const DATE = `${MARK}date`
const BIG_INTEGER = `${MARK}bigint`
const MAP = `${MARK}map`
const SET = `${MARK}set`
/** As the decoder allows it, less what a marked value adds. */
const MAX_DEPTH = 12
const MAX_NAME_LENGTH = 80

/** The fields of a transaction's objects: kept until it is committed. */
const slab = new Slab()
const take = (length: number): Uint8Array => slab.take(length)

export type Fields = Record<string, unknown>

/** BAD_ARGUMENT naming the path of what cannot be stored; never its value. */
export function encodeFields(fields: object, what: string): Uint8Array {
  return encodeMessagePackInto(toPackable(fields, what, 0), take)
}

/** Decoded fields are nobody else's. BAD_FORMAT. */
export function decodeFields(bytes: Uint8Array, maxBytes: number, what: string): Fields {
  return decodeMessagePack(bytes, maxBytes, asFields, what)
}

function asFields(value: unknown, where: string): Fields {
  const fields = fromPackable(value)
  if (isRecord(fields)) return fields
  throw new AteError('BAD_FORMAT', `${where} is not a map`)
}

function toPackable(value: unknown, where: string, depth: number): Packable {
  if (depth > MAX_DEPTH) throw refused(where, 'is nested too deeply')
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw refused(where, 'is an integer beyond 2^53')
      return value
    case 'bigint':
      return { [BIG_INTEGER]: value.toString() }
    case 'object':
      return value === null ? null : objectToPackable(value, where, depth)
    default:
      throw refused(where, `is a ${typeof value}`)
  }
}

function objectToPackable(value: object, where: string, depth: number): Packable {
  if (value instanceof Uint8Array) return value
  if (value instanceof Date) return { [DATE]: value.getTime() }
  if (Array.isArray(value)) return value.map((item, i) => toPackable(item, `${where}[${i}]`, depth + 1))
  if (value instanceof Map)
    return { [MAP]: [...value].map((pair, i) => pair.map((one) => toPackable(one, `${where}(${i})`, depth + 2))) }
  if (value instanceof Set) return { [SET]: [...value].map((one, i) => toPackable(one, `${where}(${i})`, depth + 1)) }
  if (!isRecord(value)) throw refused(where, 'is neither a plain object nor of a type that can be stored')
  const packed: Record<string, Packable> = {}
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue
    if (name.startsWith(MARK) || name === '__proto__' || name.length > MAX_NAME_LENGTH)
      throw refused(`a field of ${where}`, 'has a name that is reserved or too long')
    packed[name] = toPackable(field, `${where}.${name}`, depth + 1)
  }
  return packed
}

/** What lies in bytes that verified was put there by this program: a marked value of another form is left as it is. */
function fromPackable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromPackable)
  if (!isRecord(value)) return value
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0].startsWith(MARK) === true) return fromMarked(first[0], first[1])
  for (const [name, field] of entries) if (typeof field === 'object') value[name] = fromPackable(field)
  return value
}

function fromMarked(mark: string, content: unknown): unknown {
  if (mark === DATE && typeof content === 'number') return new Date(content)
  if (mark === BIG_INTEGER && typeof content === 'string' && /^-?\d{1,10000}$/.test(content)) return BigInt(content)
  const items: unknown[] = Array.isArray(content) ? content.map(fromPackable) : []
  if (mark === MAP) return new Map(items.filter(isPair))
  if (mark === SET) return new Set(items)
  return content
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2
}

function isRecord(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function refused(where: string, why: string): AteError {
  return new AteError('BAD_ARGUMENT', `${where} ${why}: it cannot be stored.`)
}
