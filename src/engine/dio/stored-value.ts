/**
 * The fields of an object as bytes, and back: MessagePack, with dates, big integers, maps and sets as maps of one key
 * that no field may have.
 */
import { type BytesUse, decodeMessagePack } from '../codec/message-pack.js'
import { MessagePackWriter } from '../codec/message-pack-writer.js'
import { AteError } from '../error.js'

/** Fields whose name begins with it are refused, so that it marks what MessagePack has no type for. */
const MARK = '\u0000'
const DATE = `${MARK}date`
const BIG_INTEGER = `${MARK}bigint`
const MAP = `${MARK}map`
const SET = `${MARK}set`
/** As the decoder allows it. A set takes two levels, a map three. */
const MAX_DEPTH = 16
const MAX_NAME_LENGTH = 80

/** A writer that has grown beyond this is not kept. */
const KEPT_BYTES = 1024 * 1024

/** Undefined while it is used: what is encoded may have getters, and those may do anything. */
let idle: MessagePackWriter | undefined = new MessagePackWriter()

export type Fields = Record<string, unknown>

/** In the memory that `take` gives for so many bytes. BAD_ARGUMENT naming the path of what cannot be stored; never its value. */
export function encodeFields(fields: object, what: string, take: (length: number) => Uint8Array): Uint8Array {
  const writer = idle ?? new MessagePackWriter()
  idle = undefined
  try {
    writeValue(writer.reset(), fields, what, 0)
    return writer.copy(take)
  } finally {
    if (writer.capacity <= KEPT_BYTES) idle = writer
    else idle = new MessagePackWriter()
  }
}

/** Decoded fields are nobody else's; `use` as in `decodeMessagePack`. BAD_FORMAT. */
export function decodeFields(bytes: Uint8Array, maxBytes: number, what: string, use: BytesUse = 'copy'): Fields {
  return decodeMessagePack(bytes, maxBytes, asFields, what, use)
}

function asFields(value: unknown, where: string): Fields {
  const fields = fromPackable(value)
  if (isRecord(fields)) return fields
  throw new AteError('BAD_FORMAT', `${where} is not a map`)
}

function writeValue(writer: MessagePackWriter, value: unknown, where: string, depth: number): void {
  if (depth > MAX_DEPTH) throw refused(where, 'is nested too deeply')
  switch (typeof value) {
    case 'string':
      writeText(writer, value, where)
      return
    case 'boolean':
      writer.boolean(value)
      return
    case 'number':
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw refused(where, 'is an integer beyond 2^53')
      writer.number(value)
      return
    case 'bigint':
      writeMark(writer, BIG_INTEGER)
      writeText(writer, value.toString(), where)
      return
    case 'object':
      if (value === null) writer.nil()
      else writeObject(writer, value, where, depth)
      return
    default:
      throw refused(where, `is a ${typeof value}`)
  }
}

function writeObject(writer: MessagePackWriter, value: object, where: string, depth: number): void {
  if (value instanceof Uint8Array) writer.binary(value)
  else if (Array.isArray(value)) writeItems(writer, value, where, depth)
  else if (isRecord(value)) writeRecord(writer, value, where, depth)
  else if (value instanceof Date) {
    writeMark(writer, DATE)
    writer.number(value.getTime())
  } else if (value instanceof Map) {
    writeMark(writer, MAP)
    writeItems(writer, [...value], where, depth + 1)
  } else if (value instanceof Set) {
    writeMark(writer, SET)
    writeItems(writer, [...value], where, depth + 1)
  } else throw refused(where, 'is neither a plain object nor of a type that can be stored')
}

/** What follows is the value that MessagePack has no type for. */
function writeMark(writer: MessagePackWriter, mark: string): void {
  writer.map(1)
  writer.text(mark)
}

function writeItems(writer: MessagePackWriter, items: readonly unknown[], where: string, depth: number): void {
  if (depth > MAX_DEPTH) throw refused(where, 'is nested too deeply')
  const { length } = items
  writer.array(length)
  for (let i = 0; i < length; i++) writeValue(writer, items[i], `${where}[${i}]`, depth + 1)
}

function writeRecord(writer: MessagePackWriter, fields: Fields, where: string, depth: number): void {
  const names = Object.keys(fields)
  const values = names.map((name) => fields[name])
  let count = 0
  for (const value of values) if (value !== undefined) count++
  writer.map(count)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? ''
    const value = values[i]
    if (value === undefined) continue
    if (name.startsWith(MARK) || name === '__proto__' || name.length > MAX_NAME_LENGTH)
      throw refused(`a field of ${where}`, 'has a name that is reserved or too long')
    writeText(writer, name, `the name of a field of ${where}`)
    writeValue(writer, value, `${where}.${name}`, depth + 1)
  }
}

function writeText(writer: MessagePackWriter, text: string, where: string): void {
  if (!writer.text(text)) throw refused(where, 'is not Unicode: it has half a surrogate pair')
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
