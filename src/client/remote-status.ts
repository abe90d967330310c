/** How a copy of a chain stands to its server. */
import type { ErrorCode } from '../engine/error.js'
import type { CompactionHint } from '../sync/index.js'
import type { RecoveryMode } from './recovery-mode.js'

export interface RemoteStatus {
  /** `host:port/path`. */
  readonly server: string
  /** Its name there. */
  readonly chain: string
  readonly recoveryMode: RecoveryMode
  readonly isConnected: boolean
  /** Changes can be made without asking. */
  readonly hasTurn: boolean
  /** When whoever runs the server wants the chain compacted, as long as it is connected to one that says so. */
  readonly compaction: CompactionHint | undefined
  /** The last batch here, and the last that the server is known to have. */
  readonly headSequence: number
  readonly serverSequence: number
  /** Why it is not connected, or why it is no use to try. */
  readonly problem: { readonly code: ErrorCode; readonly message: string } | undefined
}
