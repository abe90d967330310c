/** When whoever runs a server wants its chains compacted: it has no keys, so clients do that, unless their users say otherwise. */
import { fields, integer, type Shape, text } from '../engine/codec/shape.js'
import { COMPACTION_MODES, type CompactionTriggers } from '../engine/chain/compaction/compaction-mode.js'
import { AteError } from '../engine/error.js'

const MAX_MODE_LENGTH = 64
const MAX_FACTOR = 1_000_000

const factor: Shape<number> = (value, where) => {
  if (typeof value === 'number' && value > 0 && value <= MAX_FACTOR) return value
  throw new AteError('BAD_FORMAT', `${where} is no number above 0, up to ${MAX_FACTOR}`)
}

/** As sent: numbers of milliseconds and bytes. */
type Sent = { readonly mode: string; readonly timerMs: number; readonly factor: number; readonly sizeBytes: number }
const sent = fields<Sent>({
  mode: text(MAX_MODE_LENGTH),
  timerMs: integer(1, Number.MAX_SAFE_INTEGER),
  factor,
  sizeBytes: integer(1, Number.MAX_SAFE_INTEGER),
})

/** Packable, as `CompactionTriggers` is. */
export type CompactionHint = { readonly [K in keyof CompactionTriggers]: CompactionTriggers[K] }

/** Null: the server says nothing, or a mode of a later version. BAD_FORMAT. */
export const compactionHintOf: Shape<CompactionHint | null> = (value, where) => {
  if (value === undefined || value === null) return null
  const { mode, ...rest } = sent(value, where)
  const known = COMPACTION_MODES.find((one) => one === mode)
  return known === undefined ? null : { mode: known, ...rest }
}
