/** Asks the validators of a chain what they think of a commit. */
import { AteError } from '../../error.js'
import type { ProposedCommit } from './proposed-commit.js'
import type { Validator, Vote } from './plugin.js'
import { within } from './time-limit.js'

export interface NamedValidator {
  /** Of its plugin. */
  readonly name: string
  readonly validate: Validator
  readonly timeoutMs: number
}

/** One after another. REFUSED, HOOK_FAILED, TIMED_OUT; ABORTED by `signal`. */
export async function judge(
  validators: readonly NamedValidator[],
  commit: ProposedCommit,
  signal: AbortSignal | undefined,
): Promise<void> {
  const votes = new Votes()
  for (const { name, validate, timeoutMs } of validators)
    votes.count(name, await within({ name, timeoutMs, signal }, (ended) => validate(commit, ended)))
  votes.close()
}

/** As `judge`, at once. CONFLICT when one of them wants to think. */
export function judgeNow(validators: readonly NamedValidator[], commit: ProposedCommit): void {
  const votes = new Votes()
  for (const { name, validate } of validators) {
    const vote = callNow(name, () => validate(commit, new AbortController().signal))
    if (vote instanceof Promise) {
      vote.catch(() => undefined)
      throw new AteError('CONFLICT', 'What is to be committed has changed while validators looked at it.', {
        hint: 'Begin again.',
      })
    }
    votes.count(name, vote)
  }
  votes.close()
}

function callNow<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new AteError('HOOK_FAILED', `The plugin ${name} failed.`, { cause: error })
  }
}

class Votes {
  #isAllowed = false

  count(name: string, vote: Vote): void {
    const { kind, reason } = partsOf(vote)
    if (kind === 'deny') throw new AteError('REFUSED', `The plugin ${name} refuses the commit: ${String(reason)}`)
    if (kind === 'allow') this.#isAllowed = true
    else if (kind !== 'abstain') throw new AteError('HOOK_FAILED', `A validator of the plugin ${name} has not voted.`)
  }

  close(): void {
    if (!this.#isAllowed) throw new AteError('REFUSED', 'No validator knows what is in the commit: all abstained.')
  }
}

/** Of what a program gave back that may be written without types. */
function partsOf(vote: unknown): { kind?: unknown; reason?: unknown } {
  return typeof vote === 'object' && vote !== null ? vote : {}
}
