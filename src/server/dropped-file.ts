/** Up to which batch a server has given back what the chain drops, in a small file beside its log. */
import { fields } from '../engine/codec/shape.js'
import { decodeMessagePack, encodeMessagePack } from '../engine/codec/message-pack.js'
import { isAteError } from '../engine/error.js'
import type { LogStorage } from '../engine/log/storage.js'
import { sequenceOf } from '../sync/points.js'
import { DROPPED_NAME } from './file-names.js'

const MAX_BYTES = 256
const shape = fields<{ readonly upTo: number }>({ upTo: sequenceOf })

/** 0 for a file that is not there, or damaged: then clients tell again. */
export async function loadDropped(storage: LogStorage): Promise<number> {
  const bytes = await storage.readSmall(DROPPED_NAME, MAX_BYTES)
  if (bytes === undefined) return 0
  try {
    return decodeMessagePack(bytes, MAX_BYTES, shape, 'dropped').upTo
  } catch (error) {
    if (isAteError(error)) return 0
    throw error
  }
}

export async function saveDropped(storage: LogStorage, upTo: number): Promise<void> {
  await storage.replaceSmall(DROPPED_NAME, encodeMessagePack({ upTo }))
}
