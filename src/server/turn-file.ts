/** Who has the writer's turn of a chain, in a small file beside its log: kept for him when the server comes back. */
import { bytesOf, fields, orNull } from '../engine/codec/shape.js'
import { decodeMessagePack, encodeMessagePack } from '../engine/codec/message-pack.js'
import type { LogStorage } from '../engine/log/storage.js'
import { SESSION_BYTES } from '../sync/index.js'
import { sequenceOf } from '../sync/points.js'
import type { TurnState } from './turns.js'
import { TURN_NAME } from './file-names.js'

const MAX_BYTES = 256
const shape = fields<TurnState>({ term: sequenceOf, session: orNull(bytesOf(SESSION_BYTES)) })

/** BAD_FORMAT for a file that is damaged: terms must not begin anew. */
export async function loadTurn(storage: LogStorage): Promise<TurnState> {
  const bytes = await storage.readSmall(TURN_NAME, MAX_BYTES)
  return bytes === undefined ? { term: 0, session: null } : decodeMessagePack(bytes, MAX_BYTES, shape, 'turn')
}

export async function saveTurn(storage: LogStorage, { term, session }: TurnState): Promise<void> {
  await storage.replaceSmall(TURN_NAME, encodeMessagePack({ term, session }))
}
