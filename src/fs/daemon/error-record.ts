/** Our errors as plain data, to cross from the daemon to the command that asked; the same code and sentence arrive there. */
import { AteError, ERROR_CODES, isAteError, type ErrorCode } from '../../engine/error.js'
import { optionalText, textField, type JsonObject } from './json-fields.js'

export interface ErrorRecord {
  code: ErrorCode
  message: string
  hint?: string
}

/** Anything that is not ours becomes `fallback`, with its message. */
export function toErrorRecord(error: unknown, fallback: ErrorCode): ErrorRecord {
  if (!isAteError(error)) return { code: fallback, message: error instanceof Error ? error.message : String(error) }
  const { code, message, hint } = error
  return hint === undefined ? { code, message } : { code, message, hint }
}

/** Fails with BAD_FORMAT; a code this version does not know becomes DAEMON_FAILED. */
export function fromErrorRecord(from: JsonObject): AteError {
  const code = textField(from, 'code')
  const hint = optionalText(from, 'hint')
  const known = ERROR_CODES.find((candidate) => candidate === code) ?? 'DAEMON_FAILED'
  return new AteError(known, textField(from, 'message'), hint === undefined ? {} : { hint })
}
