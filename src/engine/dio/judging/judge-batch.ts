/**
 * The judgement on a batch that somebody else wrote: everything in it must be something that this program would have let its
 * signers do, on the chain as it was. It is told by nothing but the records of the batch, those before it, and the keys that
 * signed it, so that every reader of the chain comes to the same.
 */
import type { JudgeBatch } from '../../chain/batch-gate.js'
import { judgeDrop } from '../../chain/compaction/judge-drop.js'
import { keyIdOf } from '../../trust/keys.js'
import type { WriteRule } from '../../trust/rules.js'
import { formatKey } from '../object-key.js'
import { findReferences } from '../references.js'
import { ProvenRights } from '../rights.js'
import { TrustState } from '../trust-state.js'
import { judgeContent, judgeTimes } from './judge-content.js'
import { judgeObjects } from './judge-objects.js'
import { judgePlaces } from './judge-places.js'
import { judgeRules } from './judge-rules.js'
import { bad, ReceivedBatch } from './received-batch.js'

/** Throws what is wrong: see the parts. */
export const judgeBatch: JudgeBatch = (unjudged, before) => {
  const { records, bodies, dropped, forgets, signers } = unjudged
  if (dropped.length > 0 || forgets > 0) {
    judgeDrop(unjudged, before, findReferences)
    return
  }
  const batch = new ReceivedBatch(records, before)
  judgeRules(batch)
  const top: WriteRule = new TrustState(before).top
  const mourned = judgeObjects({
    keys: batch.changedObjects(),
    before: (key) => batch.objectBefore(key),
    after: (key) => batch.objectAfter(key),
    isDead: (key) => batch.isDead(key),
    rights: new ProvenRights(signers.map(keyIdOf)),
    top,
  })
  for (const key of mourned)
    if (!batch.leavesTombstone(key)) throw bad(`deletes ${formatKey(key)}, which is protected, without a tombstone`)
  for (const key of batch.changedObjects())
    if (batch.leavesTombstone(key) && batch.objectBefore(key) === undefined)
      throw bad(`leaves a tombstone of ${formatKey(key)}, which was never there`)
  judgePlaces(batch)
  judgeTimes(batch)
  judgeContent(batch, bodies)
}
