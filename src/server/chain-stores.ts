/** Where a server keeps its chains. Names are paths: parts joined by `/`, checked by who gives them. */
import type { LogStorage } from '../engine/log/storage.js'
import type { AnchorStore } from '../engine/log/types.js'

export interface ChainStore {
  readonly storage: LogStorage
  /** What is known to be durable, beside the log; closed with it. */
  readonly anchor: AnchorStore
}

export interface ChainStores {
  /** All names, in their order (by UTF-16 units). */
  list(): Promise<string[]>
  /** Undefined where nothing is. */
  open(chain: string): Promise<ChainStore | undefined>
  /** To look only: whatever is under way with it goes on. Undefined where nothing is. */
  look(chain: string): Promise<LogStorage | undefined>
  /** Makes room for a chain. What is there already stays as it is. */
  create(chain: string): Promise<ChainStore>
}
