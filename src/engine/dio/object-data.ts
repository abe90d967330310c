/** The bytes of an object's fields, wherever they lie. */
import { Fetches } from '../chain/fetches.js'
import type { BodySlice, RecordView } from '../chain/record-view.js'
import { AteError } from '../error.js'

/** Copies a piece of a body. BODY_DAMAGED. */
export type CopyBody = RecordView['copyBody']

/** As they are stored; a promise only where they must be fetched. BODY_DAMAGED. */
export function dataFrom(
  data: Uint8Array | readonly BodySlice[],
  copyBody: CopyBody,
): Uint8Array | Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data
  let length = 0
  for (const slice of data) length += slice.length
  const bytes = new Uint8Array(length)
  const fetches = new Fetches()
  let at = 0
  for (const slice of data) {
    const to = at
    fetches.add(() => copyBody(slice, bytes, to))
    at += slice.length
  }
  return fetches.isEmpty ? bytes : fetches.settled().then(() => bytes)
}

/** NOT_SUPPORTED for what must be fetched. */
export function dataAtOnce(stored: Uint8Array | Promise<Uint8Array>): Uint8Array {
  if (stored instanceof Uint8Array) return stored
  stored.catch(() => undefined)
  throw new AteError('NOT_SUPPORTED', 'The fields of this object are not on this machine: they must be loaded first.')
}
