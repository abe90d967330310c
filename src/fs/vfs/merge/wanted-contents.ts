/** Which contents of what was set aside are needed here, and which are here already. */
import { entryType, S_IFDIR } from '../inodes/modes.js'
import type { FileSystemState } from '../state.js'
import type { Ino } from '../types.js'
import { isContentChanged, isTouched } from './compare.js'
import type { PreparedContents } from './prepared-contents.js'
import { inodeIn, livingIn, nameIn } from './records.js'
import type { Tail, TailChanges } from './tail.js'

const DIRECTORY_TYPE = entryType(S_IFDIR)

/** Files whose content is needed here, and has not been copied. */
export function lackingContents(
  state: FileSystemState,
  { mine, base }: Tail,
  { inodes }: TailChanges,
  contents: PreparedContents,
): Ino[] {
  const isNeeded = (ino: Ino): boolean => {
    const after = inodeIn(mine, ino)
    if (after?.isFile !== true) return false
    const before = inodeIn(base, ino)
    // One without a name that somebody here has open stays open.
    if (before === undefined) return after.nlink > 0 || state.references.get(ino) > 0
    if (after.nlink === 0) return false
    const isHere = (state.inodes.find(ino)?.nlink ?? 0) > 0
    const [was, is] = [
      { records: base, inode: before },
      { records: mine, inode: after },
    ]
    return isHere ? isContentChanged(was, is) : isTouched(before, after)
  }
  return [...inodes].filter((ino) => contents.copyOf(ino) === undefined && isNeeded(ino))
}

/** Where both sides have made or changed a file of the same size it may be the same file. */
export async function compareContents(
  state: FileSystemState,
  tail: Tail,
  { inodes, added }: TailChanges,
  contents: PreparedContents,
): Promise<void> {
  for (const ino of inodes) {
    const [before, here] = [inodeIn(tail.base, ino), state.inodes.find(ino)]
    if (before === undefined || here?.isFile !== true || here.nlink === 0 || !isTouched(before, here)) continue
    if (contents.copyOf(ino) !== undefined) await contents.compare(ino, ino)
  }
  for (const { parent, name, ino } of added) {
    const place = placeNow(state, tail, parent)
    const there = place === undefined ? undefined : state.entries.find(place, name)
    const copy = contents.copyOf(ino)
    if (there === undefined || copy === undefined) continue
    const here = state.inodes.find(there.ino)
    if (here?.isFile === true && here !== copy) await contents.compare(ino, here.ino)
  }
}

/** The directory here that one of that state will be. Undefined: none yet. */
function placeNow(state: FileSystemState, tail: Tail, ino: Ino): Ino | undefined {
  if (inodeIn(tail.base, ino) !== undefined) return ino
  const model = livingIn(tail.mine, ino)
  const parent = model && placeNow(state, tail, model.parent)
  const name = model && nameIn(tail.mine, model.parent, ino)
  if (parent === undefined || name === undefined) return undefined
  const there = state.entries.find(parent, name)
  return there?.type === DIRECTORY_TYPE ? there.ino : undefined
}
