/** Judges the batches of distributed trust, whatever the chain holds. Loaded by name where chains are opened. */
import type { JudgeBatch } from '../../engine/chain/batch-gate.js'
import type { RecordView } from '../../engine/chain/record-view.js'
import { judgeBatch as judgeObjects } from '../../engine/dio/judging/judge-batch.js'
import { CLOCK_KIND, TRUST_KIND } from '../../engine/dio/kinds.js'
import { judgeFiles, makesFileSystem } from '../vfs/judge-files.js'
import { KIND_STATE, STATE_WRITERS } from '../vfs/records/record-kinds.js'

type Before = Pick<RecordView, 'get'>

/** The first batch of a chain that counts settles what it holds. */
export const judgeBatch: JudgeBatch = (batch, before) => {
  const isOfFiles = holdsFiles(before) || (!holdsObjects(before) && makesFileSystem(batch.records))
  const judge = isOfFiles ? judgeFiles : judgeObjects
  judge(batch, before)
}

function holdsFiles(before: Before): boolean {
  return before.get(KIND_STATE, 0, STATE_WRITERS) !== undefined
}

/** Every commit of objects puts the clock. */
function holdsObjects(before: Before): boolean {
  return before.get(CLOCK_KIND, 0, 0) !== undefined || before.get(TRUST_KIND, 0, 0) !== undefined
}
