/** How the opening of a chain is watched and given up. */
import type { OpenProgress } from '../adapters/node/chain-handle.js'

export type { OpenProgress } from '../adapters/node/chain-handle.js'

/** What the opening of a chain is told. */
export interface OpenOptions {
  /** Ends the opening: ABORTED. Nothing is open then; what has been read of the log is as it was. */
  signal?: AbortSignal | undefined
  /** Called a few times a second while the log is read, of which the index lacks something. */
  onProgress?: ((progress: OpenProgress) => void) | undefined
}
