/** What commands and flags do about an error: the library, which programs use too, names none of them. */
import type { AteError, ErrorCode } from '../engine/error.js'

const COMMANDS: Partial<Record<ErrorCode, string>> = {
  CHAIN_DAMAGED: 'Run atefs fsck to see all of it; atefs mount --allow-damage reads the rest.',
  BODY_DAMAGED: 'Run atefs fsck to see what else is damaged.',
  CHAIN_ROLLED_BACK: 'To accept it: --accept-rollback.',
  KEY_SLOT_NOT_FOUND: 'To list them: atefs passwd --list',
}

/** Undefined: there is nothing to be said. */
export function commandHint({ code, hint }: Pick<AteError, 'code' | 'hint'>): string | undefined {
  const hints = [hint, COMMANDS[code]].filter((one) => one !== undefined)
  return hints.length === 0 ? undefined : hints.join(' ')
}
