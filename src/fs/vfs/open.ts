/** Opens the file system of a chain: makes the root directory of a new one, removes what a crash left without a name. */
import type { RecordView } from '../../engine/chain/record-view.js'
import { AteError } from '../../engine/error.js'
import { distinctWarnings } from './distinct-warnings.js'
import { ChainFileSystem } from './file-system.js'
import { Inode } from './inodes/inode.js'
import { PERMISSION_BITS, S_IFDIR } from './inodes/modes.js'
import { DEFAULT_ROOT, type FileSystemOptions } from './options.js'
import { bucketOf } from './inodes/inode-store.js'
import { decodeOrphan, ONLY_WRITER } from './records/orphan-record.js'
import { KIND_INODE, KIND_ORPHAN, KIND_STATE, MAX_LOW, STATE_NUMBERS, STATE_WRITERS } from './records/record-kinds.js'
import { encodeWriters } from './records/writers-record.js'
import { FileSystemState } from './state.js'
import { ROOT_INO } from './types.js'

const ORPHANS_PER_PAGE = 1024
const ROOT_BYTES = 1024
/** A machine that has not said for so long that it has a file open does not come again. */
const FORSAKEN_SECONDS = 30 * 86_400

export interface OpenFileSystemOptions {
  view: RecordView
  options: FileSystemOptions
}

/** A new chain gets its root directory, durable when this resolves. Fails when the root or the inode numbers are damaged. */
export async function openFileSystem({ view, options: given }: OpenFileSystemOptions): Promise<ChainFileSystem> {
  const options = { ...given, onWarning: distinctWarnings(given.onWarning) }
  const state = new FileSystemState(view, options)
  const isReadOnly = options.readOnly === true || view.readOnly
  const isNew = (): boolean => view.get(KIND_STATE, 0, STATE_NUMBERS) === undefined
  // Where several make a file system of a new chain, the first one does.
  if (isNew() && !isReadOnly) {
    await turnToChange(view)
    state.numbers.reload()
  }
  const makesRoot = prepareRoot(state, options, isNew(), isReadOnly)
  if (!makesRoot && !isReadOnly) removeOrphans(state, options)
  state.directory(ROOT_INO)
  const fileSystem = new ChainFileSystem(state, options)
  fileSystem.removeUnused()
  if (makesRoot) await fileSystem.sync()
  return fileSystem
}

async function turnToChange(view: RecordView): Promise<void> {
  for (let wait = view.reserve(ROOT_BYTES, false); wait !== undefined; wait = view.reserve(ROOT_BYTES, false))
    await wait
}

/** True when it was made. */
function prepareRoot(state: FileSystemState, options: FileSystemOptions, isNew: boolean, isReadOnly: boolean): boolean {
  const hasRoot = state.view.get(KIND_INODE, bucketOf(ROOT_INO), ROOT_INO) !== undefined
  // A damaged chain opened to save what can be saved needs the root only.
  if (isNew === hasRoot && !(isReadOnly && hasRoot))
    throw new AteError('CHAIN_DAMAGED', 'The root directory or the inode numbers are missing.')
  if (hasRoot) return false
  if (options.allowDamage === true)
    throw new AteError('CHAIN_DAMAGED', 'The log has no root directory that can be read.')
  if (isReadOnly) throw new AteError('READ_ONLY', 'The chain holds no file system yet, and cannot be written to.')
  makeRoot(state, options.root ?? DEFAULT_ROOT)
  if (options.writers !== undefined) state.view.put(KIND_STATE, 0, STATE_WRITERS, encodeWriters(options.writers))
  return true
}

function makeRoot(state: FileSystemState, { mode, uid, gid }: { mode: number; uid: number; gid: number }): void {
  state.clock.tick()
  const root = new Inode(ROOT_INO, S_IFDIR | (mode & PERMISSION_BITS))
  root.uid = uid
  root.gid = gid
  root.nlink = 2
  root.parent = ROOT_INO
  root.setModified(state.clock)
  root.setAccessed(state.clock)
  root.birthSec = state.clock.sec
  root.birthNsec = state.clock.nsec
  state.numbers.inodes++
  state.inodes.add(root)
}

/**
 * Inodes that were in use without a name when the last mount ended without saying goodbye. Where others change the chain too they
 * are removed when the turn comes (`removeUnused`).
 */
function removeOrphans(
  state: FileSystemState,
  { writer = ONLY_WRITER, onWarning }: Pick<FileSystemOptions, 'writer' | 'onWarning'>,
): void {
  for (let from = 0; ;) {
    const items = state.view.range(KIND_ORPHAN, 0, from, MAX_LOW, ORPHANS_PER_PAGE)
    for (const { low, value } of items) {
      try {
        const isShared = writer !== ONLY_WRITER
        // Another machine may have it in use.
        const { user, seenSec } = decodeOrphan(value)
        const inode = state.inodes.get(low)
        const lastSec = Math.max(seenSec, inode.ctimeSec)
        if (isShared && user !== writer && state.clock.sec - lastSec < FORSAKEN_SECONDS) continue
        if (isShared && inode.nlink > 0) continue
        inode.isOrphanRecorded = true
        state.inodes.orphans.set(low, inode)
        // A name won over the record: it was linked again.
        if (inode.nlink > 0) state.inodes.unmarkOrphan(inode)
        else if (!isShared) state.destroy(inode)
      } catch {
        onWarning(`Inode ${low} was to be removed and cannot be read. Run fsck.`)
      }
    }
    const last = items[ORPHANS_PER_PAGE - 1]
    if (last === undefined) return
    from = last.low + 1
  }
}
