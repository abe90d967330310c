/**
 * The judgement on a drop in distributed trust, where anybody who has the key of the chain may have written it. What nothing refers to is
 * nobody's, so it is not asked who drops it: only whether that is so, in the chain as it was before the batch.
 */
import { AteError } from '../../error.js'
import { MAX_DROPPED_BODIES } from '../../limits.js'
import type { JudgedState, UnjudgedBatch } from '../batch-gate.js'
import type { FindReferences } from './live-bodies.js'

/** For a batch that drops content or forgets records. BODY_IN_USE, BATCH_REFUSED, NOT_AUTHORIZED. */
export function judgeDrop(
  { records, bodies, dropped, forgets }: UnjudgedBatch,
  before: JudgedState,
  findReferences: FindReferences,
): void {
  // Signatures are over them, and whoever judges begins with the first.
  if (forgets > 0) throw new AteError('NOT_AUTHORIZED', 'The batch forgets records.')
  if (records.length > 0 || bodies.length > 0) throw refused('drops content, and changes something in the same breath')
  demandPlaced(dropped, before)
  const references = before.references(findReferences)
  if (references.unreadable > 0)
    throw refused('drops content, and there are records of which nobody can tell what they need')
  for (const { from, to } of dropped)
    for (let body = from; body <= to; body++)
      if (references.of(body) > 0)
        throw new AteError('BODY_IN_USE', `The batch drops the content ${body}, which is still needed.`)
}

/** What is there can only be named once, so this is bounded by what the chain has. */
function demandPlaced(dropped: UnjudgedBatch['dropped'], before: JudgedState): void {
  let next = 0
  let count = 0
  for (const { from, to } of dropped) {
    count += to - from + 1
    if (from < next || count > MAX_DROPPED_BODIES) throw refused('drops content twice, or too much at once')
    next = to + 1
    for (let body = from; body <= to; body++)
      if (!before.hasBody(body)) throw refused(`drops the content ${body}, which is not there`)
  }
}

function refused(what: string): AteError {
  return new AteError('BATCH_REFUSED', `The batch ${what}.`)
}
