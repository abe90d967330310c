/** What a server has given back of what the chain drops, in a small file beside its log. */
import { fields } from '../engine/codec/shape.js'
import { decodeMessagePack, encodeMessagePack } from '../engine/codec/message-pack.js'
import { isAteError } from '../engine/error.js'
import type { LogStorage } from '../engine/log/storage.js'
import { sequenceOf } from '../sync/points.js'
import { DROPPED_NAME } from './file-names.js'

const MAX_BYTES = 256

export interface DroppedState {
  /** Up to this batch all that is dropped was given back; 0: clients tell again. */
  readonly upTo: number
  /** No batch behind this one drops anything that was given back, or is about to be: noted before the first byte goes. */
  readonly keep: number
}

const NOTHING: DroppedState = { upTo: 0, keep: 0 }
/** The file is damaged, or of a program that noted less: any batch may drop what is missing. */
const NOT_KNOWN: DroppedState = { upTo: 0, keep: Number.MAX_SAFE_INTEGER }

const shape = fields<DroppedState>({ upTo: sequenceOf, keep: sequenceOf })

export async function loadDropped(storage: LogStorage): Promise<DroppedState> {
  try {
    const bytes = await storage.readSmall(DROPPED_NAME, MAX_BYTES)
    if (bytes === undefined) return NOTHING
    return decodeMessagePack(bytes, MAX_BYTES, shape, 'dropped')
  } catch (error) {
    if (isAteError(error)) return NOT_KNOWN
    throw error
  }
}

export async function saveDropped(storage: LogStorage, { upTo, keep }: DroppedState): Promise<void> {
  await storage.replaceSmall(DROPPED_NAME, encodeMessagePack({ upTo, keep }))
}
