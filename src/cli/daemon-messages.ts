/**
 * What the command and the background process it starts say to each other over the channel between them. The passphrase
 * travels here: never in arguments or the environment, which others can read.
 */
import type { ChainSecret } from '../adapters/node/chain-handle.js'
import type { ErrorRecord } from '../fs/daemon/error-record.js'
import type { MountRequest } from '../fs/daemon/mount-request.js'
import type { MountStatus } from '../fs/daemon/mount-status.js'

/** The first and only message down. */
export interface StartMessage {
  request: MountRequest
  secret: ChainSecret
  /** The file that standard error is, to keep it bounded. */
  logFile: string
}

/** Messages up; the last is 'mounted' or 'failed'. */
export type DaemonMessage =
  | { type: 'progress'; text: string }
  | { type: 'notice'; text: string }
  | { type: 'mounted'; status: MountStatus }
  | { type: 'failed'; error: ErrorRecord }
  /** A defect: its stack. */
  | { type: 'crashed'; stack: string }
