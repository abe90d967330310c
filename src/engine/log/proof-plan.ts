/** Which batch of those that are written together carries the signatures of which. */
import { byteLength } from '../bytes/concat.js'
import type { SigningKey } from '../crypto/signature.js'
import { AteError } from '../error.js'
import { MAX_PROOF_KEYS, MAX_PROOF_RUN_BYTES, MAX_PROOF_SHARE, MAX_UNPROVEN_BYTES } from '../limits.js'
import { type BatchDraft, GROUP_RECORDS } from './types.js'

export interface ProofPlan {
  /** As `Proof.ahead`. */
  readonly ahead: number
  /** Who signs here, for which batches. */
  readonly signers: ReadonlyMap<SigningKey, readonly number[]>
}

export const NOTHING_SIGNED: ProofPlan = { ahead: 0, signers: new Map() }

/**
 * A plan for each draft. One that is large carries its own signatures: whoever reads it back keeps in memory what waits for
 * them. BAD_ARGUMENT for one with more than MAX_PROOF_KEYS signers.
 */
export function planProofs(drafts: readonly BatchDraft[]): ProofPlan[] {
  const plans: ProofPlan[] = []
  let run: BatchDraft[] = []
  drafts.forEach((draft, i) => {
    run.push(draft)
    const next = drafts[i + 1]
    if (next !== undefined && recordBytes(draft) <= MAX_UNPROVEN_BYTES && fits([...run, next])) return
    plans.push(...planRun(run))
    run = []
  })
  return plans
}

function planRun(run: readonly BatchDraft[]): ProofPlan[] {
  const signers = new Map<SigningKey, number[]>()
  const last = run.length - 1
  for (let i = last; i >= 0; i--)
    for (const key of new Set(run[i]?.signers)) signers.set(key, [...(signers.get(key) ?? []), last - i])
  if (signers.size > MAX_PROOF_KEYS)
    throw new AteError('BAD_ARGUMENT', `A batch has more than ${MAX_PROOF_KEYS} signers.`)
  return run.map((draft, i) => {
    if (i === last) return { ahead: 0, signers }
    return isUnsigned(draft) ? NOTHING_SIGNED : { ...NOTHING_SIGNED, ahead: last - i }
  })
}

function fits(run: readonly BatchDraft[]): boolean {
  if (run.length > MAX_PROOF_SHARE || new Set(run.flatMap(({ signers = [] }) => signers)).size > MAX_PROOF_KEYS)
    return false
  return run.reduce((sum, { groups }) => sum + bytesOf(groups), 0) <= MAX_PROOF_RUN_BYTES
}

function isUnsigned({ signers = [] }: BatchDraft): boolean {
  return signers.length === 0
}

function recordBytes({ groups }: BatchDraft): number {
  return bytesOf(groups.filter(({ kind }) => kind === GROUP_RECORDS))
}

function bytesOf(groups: BatchDraft['groups']): number {
  return groups.reduce((sum, { parts }) => sum + byteLength(parts), 0)
}
