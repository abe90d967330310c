/** Checked reading of JSON that another process wrote: nothing of it is believed before its type is. All fail with BAD_FORMAT. */
import { AteError } from '../../engine/error.js'

export type JsonObject = Readonly<Record<string, unknown>>

export function parseJsonObject(text: string): JsonObject {
  try {
    return asObject(JSON.parse(text))
  } catch (cause) {
    throw new AteError('BAD_FORMAT', 'not a JSON object', { cause })
  }
}

export function asObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new AteError('BAD_FORMAT', 'not a JSON object')
  return value
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textField(object: JsonObject, key: string): string {
  const value = object[key]
  if (typeof value !== 'string') throw new AteError('BAD_FORMAT', `the field ${key} is not a string`)
  return value
}

export function numberField(object: JsonObject, key: string): number {
  const value = object[key]
  if (typeof value !== 'number') throw new AteError('BAD_FORMAT', `the field ${key} is not a number`)
  return value
}

export function booleanField(object: JsonObject, key: string): boolean {
  const value = object[key]
  if (typeof value !== 'boolean') throw new AteError('BAD_FORMAT', `the field ${key} is not true or false`)
  return value
}

export function optionalText(object: JsonObject, key: string): string | undefined {
  return object[key] === undefined ? undefined : textField(object, key)
}

export function optionalNumber(object: JsonObject, key: string): number | undefined {
  return object[key] === undefined ? undefined : numberField(object, key)
}
