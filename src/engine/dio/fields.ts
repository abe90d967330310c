/** The fields of a type: checked by its schema, on the way in and on the way out, and as bytes. */
import type { BytesUse } from '../codec/message-pack.js'
import type { Slab } from '../bytes/slab.js'
import { AteError } from '../error.js'
import { MAX_OBJECT_BYTES } from '../limits.js'
import type { DataType } from './data-type.js'
import type { SchemaIssue } from './standard-schema.js'
import { decodeFields, encodeFields, type Fields } from './stored-value.js'

/** INVALID_OBJECT naming the first field that is wrong, never its value; `cause` is what the schema says, and may. */
export function checkFields(type: DataType, value: unknown): object {
  const result = type.schema['~standard'].validate(value)
  if (result instanceof Promise)
    throw new AteError('BAD_ARGUMENT', `The schema of ${type.name} is asynchronous: objects are checked at once.`)
  if (result.issues === undefined) return result.value
  throw new AteError(
    'INVALID_OBJECT',
    `This is not an object of the type ${type.name}: ${describe(result.issues[0])}`,
    {
      cause: result.issues,
    },
  )
}

/** The stored bytes of fields, which can be read again, in memory of `slab`. INVALID_OBJECT, BAD_ARGUMENT, OBJECT_TOO_LARGE. */
export function fieldsToBytes(type: DataType, fields: object, slab: Slab): Uint8Array {
  const bytes = encodeFields(storedForm(type, fields), type.name, (length) => slab.take(length))
  if (bytes.length <= MAX_OBJECT_BYTES) return bytes
  throw new AteError('OBJECT_TOO_LARGE', `An object of the type ${type.name} has more than ${MAX_OBJECT_BYTES} bytes.`)
}

function storedForm(type: DataType, fields: object): object {
  const { stored } = type.options
  if (stored === undefined) return checkFields(type, fields)
  const written = calling(type, 'write', () => stored.write(fields))
  checkFields(
    type,
    calling(type, 'read', () => stored.read(written)),
  )
  return written
}

function calling<T>({ name }: DataType, what: 'read' | 'write', run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new AteError('INVALID_OBJECT', `The type ${name} cannot ${what} this object.`, { cause })
  }
}

/** `use` as in `decodeFields`. INVALID_OBJECT when the type has no such fields (any more), BAD_FORMAT. */
export function fieldsFromBytes(type: DataType, bytes: Uint8Array, use: BytesUse = 'copy'): object {
  const stored: Fields = decodeFields(bytes, MAX_OBJECT_BYTES, type.name, use)
  const { read } = type.options.stored ?? {}
  return checkFields(type, read === undefined ? stored : calling(type, 'read', () => read(stored)))
}

function describe(issue: SchemaIssue | undefined): string {
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  return `${path === '' ? 'it' : path} is not as the schema wants it.`
}
