/** How a queue lies in its chain. */
import { type DataType, dataType } from './data-type.js'
import { mapOf, vecOf } from './link-definition.js'
import { plain } from './standard-schema.js'

/** Somebody began to handle a message: until then it is his, or waits for its next attempt. */
export const Claim = dataType('atefs.Claim', plain<{ attempt: number; holder: string; untilMs: number }>())
/** Why a message was put aside. */
export const Failure = dataType('atefs.Failure', plain<{ attempts: number; code: string; message: string }>())

/** Claims and failures are found by the key of their message. */
export type QueueType = ReturnType<typeof queueType>

export function queueType(message: DataType) {
  return dataType('atefs.Queue', plain<{ name: string; messageType: string }>(), {
    links: {
      messages: vecOf(message),
      claims: mapOf(Claim),
      dead: vecOf(message),
      failures: mapOf(Failure),
    },
  })
}
