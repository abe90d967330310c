/**
 * The one place where an error's code becomes the program's exit code. Scripts rely on the numbers (`docs/cli.md`): a
 * number never changes its meaning and is never used again once retired. Where gocryptfs or restic has a number for the
 * same thing, it is theirs.
 */
import type { ErrorCode } from '../engine/error.js'

export const EXIT = {
  OK: 0,
  /** A defect of the program, or a failure it has no name for. */
  UNEXPECTED: 1,
  /** The command line. */
  USAGE: 2,
  /** The chain is not there, is no chain, or is already there. */
  CHAIN: 6,
  /** Written by a newer version. */
  UNSUPPORTED_FORMAT: 8,
  /** No passphrase could be had. */
  NO_PASSPHRASE: 9,
  /** The mountpoint: busy, not empty, unusable, not mounted. */
  MOUNTPOINT: 10,
  /** Another process has the chain open. */
  LOCKED: 11,
  WRONG_PASSPHRASE: 12,
  /** The background process ended before the mount worked. */
  DAEMON: 17,
  /** The system does not let us mount. */
  FUSE: 19,
  EMPTY_PASSPHRASE: 22,
  /** The directory of the log cannot be read or written. */
  STORAGE: 24,
  /** The log is damaged or rolled back; fsck found something. */
  DAMAGE: 26,
  KEY_SLOT: 27,
  NO_SPACE: 28,
  /** SIGINT at a prompt, as shells count it. */
  INTERRUPTED: 130,
} as const

/** Exhaustive: a new code does not compile until it has a number. */
const exitCodes: Record<ErrorCode, number> = {
  BAD_FORMAT: EXIT.DAMAGE,
  UNSUPPORTED_FORMAT: EXIT.UNSUPPORTED_FORMAT,
  BAD_ARGUMENT: EXIT.USAGE,
  NOT_A_CHAIN: EXIT.CHAIN,
  CHAIN_EXISTS: EXIT.CHAIN,
  CHAIN_NOT_FOUND: EXIT.CHAIN,
  CHAIN_LOCKED: EXIT.LOCKED,
  CHAIN_DAMAGED: EXIT.DAMAGE,
  CHAIN_ROLLED_BACK: EXIT.DAMAGE,
  BODY_DAMAGED: EXIT.DAMAGE,
  CHAIN_CLOSED: EXIT.UNEXPECTED,
  READ_ONLY: EXIT.STORAGE,
  WRITE_FAILED: EXIT.STORAGE,
  NOT_FOUND: EXIT.UNEXPECTED,
  WRONG_TYPE: EXIT.UNEXPECTED,
  INVALID_OBJECT: EXIT.UNEXPECTED,
  OBJECT_TOO_LARGE: EXIT.UNEXPECTED,
  TRANSACTION_TOO_LARGE: EXIT.UNEXPECTED,
  PARENT_NOT_FOUND: EXIT.UNEXPECTED,
  CYCLE: EXIT.UNEXPECTED,
  CONFLICT: EXIT.UNEXPECTED,
  ABORTED: EXIT.UNEXPECTED,
  TIMED_OUT: EXIT.UNEXPECTED,
  LAGGED: EXIT.UNEXPECTED,
  LOCK_LOST: EXIT.UNEXPECTED,
  SERVICE_FAILED: EXIT.UNEXPECTED,
  BAD_SIGNATURE: EXIT.UNEXPECTED,
  NOT_AUTHORIZED: EXIT.UNEXPECTED,
  NOT_SEALED: EXIT.UNEXPECTED,
  NO_READ_KEY: EXIT.UNEXPECTED,
  ALREADY_DELETED: EXIT.UNEXPECTED,
  SESSION_EXPIRED: EXIT.UNEXPECTED,
  WRONG_PASSPHRASE: EXIT.WRONG_PASSPHRASE,
  EMPTY_PASSPHRASE: EXIT.EMPTY_PASSPHRASE,
  NO_PASSPHRASE: EXIT.NO_PASSPHRASE,
  KEYRING_DAMAGED: EXIT.DAMAGE,
  KEY_SLOT_NOT_FOUND: EXIT.KEY_SLOT,
  LAST_KEY_SLOT: EXIT.KEY_SLOT,
  NO_ENTRY: EXIT.UNEXPECTED,
  EXISTS: EXIT.UNEXPECTED,
  NOT_A_DIRECTORY: EXIT.UNEXPECTED,
  IS_A_DIRECTORY: EXIT.UNEXPECTED,
  NOT_EMPTY: EXIT.UNEXPECTED,
  NAME_TOO_LONG: EXIT.UNEXPECTED,
  FILE_TOO_LARGE: EXIT.UNEXPECTED,
  TOO_MANY_LINKS: EXIT.UNEXPECTED,
  NO_ATTRIBUTE: EXIT.UNEXPECTED,
  ATTRIBUTE_TOO_LARGE: EXIT.UNEXPECTED,
  RESULT_TOO_SMALL: EXIT.UNEXPECTED,
  NO_DATA_BEYOND: EXIT.UNEXPECTED,
  INVALID: EXIT.UNEXPECTED,
  NOT_PERMITTED: EXIT.STORAGE,
  ACCESS_DENIED: EXIT.STORAGE,
  NO_SPACE: EXIT.NO_SPACE,
  NOT_SUPPORTED: EXIT.UNEXPECTED,
  STALE: EXIT.UNEXPECTED,
  INPUT_OUTPUT: EXIT.STORAGE,
  MOUNTPOINT_BUSY: EXIT.MOUNTPOINT,
  MOUNTPOINT_NOT_EMPTY: EXIT.MOUNTPOINT,
  MOUNTPOINT_UNUSABLE: EXIT.MOUNTPOINT,
  NOT_MOUNTED: EXIT.MOUNTPOINT,
  FUSE_UNAVAILABLE: EXIT.FUSE,
  MOUNT_REFUSED: EXIT.FUSE,
  BAD_OPTION: EXIT.USAGE,
  DAEMON_FAILED: EXIT.DAEMON,
}

export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code]
}
