/** Two copies of a chain that went on from the same state, and what one has made as a tail to be merged into the other. */
import { receivedChanges } from '../../src/engine/chain/received-changes.js'
import { conflictLabel } from '../../src/fs/vfs/merge/conflict-name.js'
import { RevertedRecords } from '../../src/fs/vfs/merge/reverted-records.js'
import type { Tail } from '../../src/fs/vfs/merge/tail.js'
import type { ChainFileSystem } from '../../src/fs/vfs/file-system.js'
import { batchesFor, type ChainCopy, openCopy } from './carried-chains.js'
import { ManualClock } from './open-memory-fs.js'

export interface PartedCopies {
  /** What the server has heard first. */
  readonly theirs: ChainCopy
  /** What is set aside. */
  readonly mine: ChainCopy
  /** Ends where both began. */
  readonly base: ChainCopy
}

export const LABEL = conflictLabel('host', Date.UTC(2026, 10, 21, 22, 10, 3))

/** `prepare` makes what both begin with. */
export async function partedCopies(prepare: (fs: ChainFileSystem) => Promise<void>): Promise<PartedCopies> {
  const [first, second] = [new ManualClock(), new ManualClock()]
  const theirs = await openCopy(1, undefined, { clock: first })
  await prepare(theirs.fs)
  const mine = await openCopy(2, theirs, { clock: second })
  const base = await openCopy(3, theirs)
  first.advance(1000)
  second.advance(2000)
  return { theirs, mine, base }
}

/** All that `mine` has made. */
export async function tailOf({ mine, base }: PartedCopies): Promise<Tail> {
  await mine.fs.flush()
  await mine.fs.sync()
  const batches = await base.chain.view.verifyRun(await batchesFor(base, mine), false)
  const changes = batches.flatMap(({ records }) => receivedChanges(records))
  const { view } = mine.chain
  const digest = view.writerStatus.headDigest
  return { mine: view, base: new RevertedRecords(view, changes, base.chain.view), changes, digest, label: LABEL }
}
