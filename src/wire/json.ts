/**
 * JSON with byte strings: `{"$bytes": "base64"}`. A name that begins with `$` is written with one `$` more, so that every
 * map can be said. What MessagePack cannot say (text that is no Unicode, deep nesting) is refused here too: a
 * message means the same in both formats.
 */
import { toLatin1 } from '../engine/bytes/latin1.js'
import { isUnicode } from '../engine/bytes/unicode.js'
import type { Packable } from '../engine/codec/message-pack.js'
import { AteError } from '../engine/error.js'
import { encodeText } from './utf8.js'

const BYTES = '$bytes'
/** As deep as MessagePack goes. */
const MAX_DEPTH = 16
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** BAD_ARGUMENT for a number that JSON has no spelling of. */
export function encodeJson(value: Packable): Uint8Array {
  return encodeText(JSON.stringify(toJson(value)))
}

/** BAD_FORMAT for what is not one value. */
export function decodeJson(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    throw new AteError('BAD_FORMAT', 'A message is no JSON.', { cause })
  }
  return fromJson(value, 0)
}

function toJson(value: Packable): Json {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new AteError('BAD_ARGUMENT', `JSON has no number ${value}.`)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { [BYTES]: btoa(toLatin1(value)) }
  if (isList(value)) return value.map(toJson)
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.startsWith('$') ? `$${key}` : key, toJson(each)]),
  )
}

function fromJson(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw bad('is nested too deeply')
  if (typeof value === 'string') return checkedText(value)
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw bad('holds an integer of 2^53 or more')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    return list.map((each) => fromJson(each, depth + 1))
  }
  const entries = Object.entries(value)
  const first = entries[0]
  if (first?.[0] === BYTES && entries.length === 1) return bytesOf(first[1])
  return Object.fromEntries(entries.map(([key, each]) => [nameOf(key), fromJson(each, depth + 1)]))
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw bad('holds bytes that are no text')
  let text: string
  try {
    text = atob(value)
  } catch {
    throw bad('holds bytes that are no base64')
  }
  // One spelling: no spaces, and padded.
  if (btoa(text) !== value) throw bad('holds bytes that are no base64')
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function nameOf(key: string): string {
  checkedText(key)
  if (!key.startsWith('$')) return key
  if (key.startsWith('$$')) return key.slice(1)
  throw bad('holds a name that begins with one $')
}

function checkedText(text: string): string {
  if (!isUnicode(text)) throw bad('holds text that is no Unicode')
  return text
}

function isList(value: readonly Packable[] | { readonly [key: string]: Packable }): value is readonly Packable[] {
  return Array.isArray(value)
}

function bad(why: string): AteError {
  return new AteError('BAD_FORMAT', `A message ${why}.`)
}
