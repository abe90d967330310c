/** Errors of node:fs as ours. Messages name the file's role in the log (`manifest`, a segment), never a user's file. */
import { AteError, isAteError, type ErrorCode } from '../../engine/error.js'

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EACCES: 'ACCESS_DENIED',
  EPERM: 'ACCESS_DENIED',
  EROFS: 'READ_ONLY',
}

export function fileError(action: string, name: string, cause: unknown): AteError {
  if (isAteError(cause)) return cause
  const errno = errnoOf(cause)
  const code = CODES[errno ?? ''] ?? 'INPUT_OUTPUT'
  const hint =
    code === 'READ_ONLY' ? { hint: 'The log lies on a read-only file system: mount it with --read-only.' } : {}
  return new AteError(code, `Cannot ${action} ${name}${errno === undefined ? '' : `: ${errno}`}.`, { ...hint, cause })
}

/** The symbolic errno ('ENOENT') of an error of node:fs. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The disk, or the user's share of it, is full. */
export function isNoSpace(error: unknown): boolean {
  return CODES[errnoOf(error) ?? ''] === 'NO_SPACE'
}
