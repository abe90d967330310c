/**
 * The one error class. `code` is the contract: it never changes between majors; the message is for people and may.
 * Match on `code`, never on `instanceof`: a package can be loaded twice.
 */
export const ERROR_CODES = [
  // bytes, formats
  'BAD_FORMAT', // bytes that do not parse
  'UNSUPPORTED_FORMAT', // a version or an incompatible feature flag this program does not know
  'BAD_ARGUMENT', // a caller's mistake
  // chain
  'NOT_A_CHAIN', // the directory holds no chain
  'CHAIN_EXISTS',
  'CHAIN_NOT_FOUND',
  'CHAIN_LOCKED', // another process has it open
  'CHAIN_DAMAGED', // the log does not verify
  'CHAIN_ROLLED_BACK', // the log ends before what is known durable
  'BODY_DAMAGED', // one body does not verify: its readers get an I/O error, the rest lives on
  'BODY_AWAY', // one body lies at the server, which is away
  'BODY_GONE', // one body lay at the server, and was dropped meanwhile: only older states refer to it
  'CHAIN_CLOSED',
  'OTHER_CHAIN', // what was to be taken in is of a chain with another id
  'CHAIN_GAP', // batches between what is there and what was to be taken in are missing
  'CHAIN_FORKED', // two copies of the chain have different histories
  'BODY_IN_USE', // a batch drops content that something still refers to
  'BATCH_REFUSED', // a batch from elsewhere that is not whole, not authentic, or against the rules
  'EXPORT_DAMAGED', // an export that was cut off or changed on its way
  'COMMIT_SET_ASIDE', // others, whom the server heard first, went on: what was committed here lies beside the chain
  'CHAIN_NEWER', // a restore would put an older chain in the place of a newer one
  'READ_ONLY',
  'WRITE_FAILED', // the storage failed under a commit: nothing more is accepted
  // objects
  'NOT_FOUND', // no such object
  'WRONG_TYPE', // an object of another type
  'INVALID_OBJECT', // not as the schema of its type wants it
  'OBJECT_TOO_LARGE',
  'TRANSACTION_TOO_LARGE',
  'PARENT_NOT_FOUND',
  'CYCLE', // an object below itself
  'CONFLICT', // something that was read has been changed meanwhile
  'ABORTED', // given up by the caller
  'TIMED_OUT',
  'LAGGED', // a subscriber did not take its events for too long
  'TIME_AHEAD', // a time from elsewhere lies further ahead than the tolerance, or beyond the year 2100
  'LOCK_LOST', // a lock or lease is somebody else's by now
  'SERVICE_FAILED', // a service answered with an error
  // hooks
  'REFUSED', // a validator does not want the commit
  'HOOK_FAILED', // a plugin threw
  'UNKNOWN_TRANSFORMER', // stored with one that is not here
  // trust
  'BAD_SIGNATURE', // a batch says that somebody signed it who did not
  'NOT_AUTHORIZED', // no key that the write rule asks for, or none of the chain
  'NO_READ_KEY', // no key that the read rule asks for
  'NOT_SEALED', // what a read rule protects came in clear, or sealed for others
  'ALREADY_DELETED', // a protected object was there, and stays dead
  'SESSION_EXPIRED',
  // keys
  'WRONG_PASSPHRASE',
  'EMPTY_PASSPHRASE',
  'NO_PASSPHRASE',
  'KEYRING_DAMAGED',
  'KEY_SLOT_NOT_FOUND',
  'LAST_KEY_SLOT',
  // files
  'NO_ENTRY',
  'EXISTS',
  'NOT_A_DIRECTORY',
  'IS_A_DIRECTORY',
  'NOT_EMPTY',
  'NAME_TOO_LONG',
  'FILE_TOO_LARGE',
  'TOO_MANY_LINKS',
  'NO_ATTRIBUTE',
  'ATTRIBUTE_TOO_LARGE',
  'RESULT_TOO_SMALL',
  'NO_DATA_BEYOND', // SEEK_DATA or SEEK_HOLE past the end
  'INVALID',
  'NOT_PERMITTED',
  'ACCESS_DENIED',
  'NO_SPACE',
  'NOT_SUPPORTED',
  'STALE',
  'INPUT_OUTPUT',
  // wire
  'CONNECTION_FAILED', // nobody answers, or whoever does speaks something else
  'CONNECTION_CLOSED', // ended with a goodbye
  'CONNECTION_LOST', // ended without one
  'SERVER_KEY_CHANGED',
  'SERVER_KEY_UNKNOWN',
  'WIRE_NOT_AGREED', // no version, cipher, format or compression in common
  'WIRE_DOWNGRADED', // the server chose what was not offered
  'HANDSHAKE_FORGED', // a signature of the handshake does not verify
  'FRAME_FORGED',
  'FRAME_REPLAYED',
  'FRAME_MISSING',
  'MESSAGE_TOO_LARGE',
  'OTHER_SERVER', // the chain belongs to another one of several servers
  // mounting
  'MOUNTPOINT_BUSY',
  'MOUNTPOINT_NOT_EMPTY',
  'MOUNTPOINT_UNUSABLE',
  'NOT_MOUNTED',
  'FUSE_UNAVAILABLE',
  'MOUNT_REFUSED',
  'BAD_OPTION',
  'DAEMON_FAILED',
] as const

/** The codes of errors; docs/guide.md says what each means. They do not change within a major version. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** What may be said of an error beside its code and sentence. */
export interface AteErrorDetail {
  /** What the user can do about it, one sentence. */
  hint?: string
  /** What it came of. */
  cause?: unknown
}

/** What everything that goes wrong is: a code for programs, a sentence for people. Ask with `errorCode` or `isAteError`. */
export class AteError extends Error {
  /** Always the same. */
  override readonly name = 'AteError'
  /** What has happened. */
  readonly code: ErrorCode
  /** What the user can do about it, one sentence. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, detail: AteErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.hint = detail.hint
  }
}

const codes: ReadonlySet<string> = new Set(ERROR_CODES)

/** True for the text of a code, which others may send us. */
export function isErrorCode(text: string): text is ErrorCode {
  return codes.has(text)
}

/** True for our own errors, also those of another copy of this module. */
export function isAteError(error: unknown): error is AteError {
  return error instanceof Error && error.name === 'AteError' && 'code' in error && codes.has(String(error.code))
}

/** The code of one of our errors, undefined for anything else. */
export function errorCode(error: unknown): ErrorCode | undefined {
  return isAteError(error) ? error.code : undefined
}
