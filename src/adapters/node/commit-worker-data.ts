/** What the commit worker is started with. */
import type { AeadSuite } from '../../engine/crypto/suites.js'

export interface CommitWorkerData {
  directory: string
  indexDirectory: string
  /** File of the anchor; undefined keeps none. */
  anchorFile: string | undefined
  rootKey: Uint8Array
  chainId: Uint8Array
  suite: AeadSuite
  acceptRollback: boolean
  isServed: boolean
  /** A module whose `findReferences` tells what records refer to; undefined: nothing is ever dropped. */
  referencesModule: string | undefined
  /** A module whose `judgeBatch` judges the batches of distributed trust; undefined: such a chain is refused. */
  judgeModule: string | undefined
  /** Shared: not 0 when the opening is given up. */
  givenUp: Int32Array
}
