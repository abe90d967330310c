/** Tells programs and people of batches of distributed trust that are refused. */
import type { RefusedBatch } from '../engine/chain/batch-gate.js'
import { errorCode } from '../engine/error.js'
import { keyIdOf } from '../engine/trust/keys.js'
import type { AteConfigOptions } from './config.js'

/** `onNotice` is for people, `onRefused` for the program. */
export function tellRefused(
  { onNotice, onRefused }: Readonly<AteConfigOptions>,
  { sequence, error, signers }: RefusedBatch,
): void {
  const ids = signers.map(keyIdOf)
  const who = ids.length === 0 ? 'signed by nobody' : `signed by ${ids.map((id) => id.slice(0, 8)).join(', ')}`
  onNotice?.(`Batch ${sequence}, ${who}, is refused: ${error.message}`)
  onRefused?.({ sequence, code: errorCode(error) ?? 'BAD_FORMAT', message: error.message, signers: ids })
}
