/** What a client does while its server is away. The table is in docs/guide.md. */
import { AteError } from '../engine/error.js'

/**
 * What happens while the server is away. `readonly-async` and `readonly-sync`: reads go on, changes are refused. `async`: changes
 * go on too, and are brought to the server afterwards. `sync`: everything waits for it, for a bounded time. With the two that end in
 * `sync` a commit is on the server when it resolves, and `refresh` comes before reads.
 */
export type RecoveryMode = 'async' | 'readonly-async' | 'readonly-sync' | 'sync'

export const RECOVERY_MODES: readonly RecoveryMode[] = ['async', 'readonly-async', 'readonly-sync', 'sync']

export const DEFAULT_RECOVERY_MODE: RecoveryMode = 'readonly-async'

/** BAD_ARGUMENT. */
export function parseRecoveryMode(text: string): RecoveryMode {
  const mode = RECOVERY_MODES.find((each) => each === text)
  if (mode === undefined)
    throw new AteError('BAD_ARGUMENT', `The recovery mode ${text} is none of ${RECOVERY_MODES.join(', ')}.`)
  return mode
}

/** Commits are waited for until the server has them, and reads pass it. */
export function isSyncMode(mode: RecoveryMode): boolean {
  return mode === 'sync' || mode === 'readonly-sync'
}
