/** Who judges the batches of distributed trust: the business of whose records they hold, known here by name only. */
import type { JudgeBatch } from '../../engine/chain/batch-gate.js'

/** `url`: of a module of this program that has a `judgeBatch`. */
export async function loadJudge(url: string | undefined): Promise<JudgeBatch | undefined> {
  if (url === undefined) return undefined
  // A module of this program, named by this program.
  const module = (await import(url)) as { judgeBatch: JudgeBatch }
  return module.judgeBatch
}
