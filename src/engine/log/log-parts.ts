/** What an opened log is made of. */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import type { BatchAuthor } from './batch-author.js'
import type { ChainState } from './chain-state.js'
import type { ManifestFile } from './manifest-file.js'
import type { LogStorage } from './storage.js'
import type { AnchorStore, Finding, LogPoint } from './types.js'

export interface LogParts {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  author: BatchAuthor
  isKeyless: boolean | undefined
  isServed: boolean | undefined
  clock: () => number
  anchor: AnchorStore | undefined
  onFinding: (finding: Finding) => void
  isReadOnly: boolean
  /** A segment is closed above this, and as much is reserved at once. */
  segmentBytes: number
  manifest: ManifestFile
  /** Number for the next segment: above that of every file there is. */
  nextNumber: number
  state: ChainState
  head: LogPoint | undefined
  /** Bytes of all segments. */
  sizeBytes: number
}
