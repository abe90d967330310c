/** The records that a batch from elsewhere changes, as a list. */
import { AteError } from '../error.js'
import { BODY_PLACE_KIND } from './body-place.js'
import { readChanges } from './change-stream.js'

export type ReceivedChange =
  /** A null value deletes. */
  | { readonly kind: number; readonly high: number; readonly low: number; readonly value: Uint8Array | null }
  /** Deletes all records with from <= low <= to. */
  | { readonly kind: number; readonly high: number; readonly from: number; readonly to: number }

/** In order. BAD_FORMAT, UNSUPPORTED_FORMAT; BATCH_REFUSED for records that only the engine makes. */
export function receivedChanges(streams: readonly Uint8Array[]): ReceivedChange[] {
  const changes: ReceivedChange[] = []
  const add = (change: ReceivedChange): void => {
    if (change.kind === BODY_PLACE_KIND)
      throw new AteError('BATCH_REFUSED', 'The batch says where bodies lie, which is not its to say.')
    changes.push(change)
  }
  for (const stream of streams)
    readChanges(stream, {
      put: (kind, high, low, value) => add({ kind, high, low, value }),
      delete: (kind, high, low) => add({ kind, high, low, value: null }),
      deleteRange: (kind, high, from, to) => add({ kind, high, from, to }),
    })
  return changes
}
