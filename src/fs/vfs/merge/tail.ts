/** What was committed here while others went on: the state it led to, and what it changed of the state it began with. */
import type { ReceivedChange } from '../../../engine/chain/received-changes.js'
import type { RecordView } from '../../../engine/chain/record-view.js'
import { KIND_ENTRY, KIND_EXTENT, KIND_INODE, KIND_XATTR } from '../records/record-kinds.js'
import type { Ino, Name } from '../types.js'
import { entriesIn, inodeIn, type Records } from './records.js'

export interface Tail {
  /** The state that it led to. Nothing is changed of it. */
  readonly mine: RecordView
  /** The state that both sides began with. */
  readonly base: Records
  /** All of it, in order. */
  readonly changes: readonly ReceivedChange[]
  /** What no other tail has: the digest of its last batch. */
  readonly digest: Uint8Array
  /** What names of versions that are kept beside others say (`conflictLabel`). */
  readonly label: string
}

export interface NamedInode {
  readonly parent: Ino
  readonly name: Name
  readonly ino: Ino
}

export interface TailChanges {
  /** Inodes of which anything changed. */
  readonly inodes: ReadonlySet<Ino>
  readonly directories: ReadonlySet<Ino>
  readonly added: readonly NamedInode[]
  readonly removed: readonly NamedInode[]
}

export function tailChanges({ mine, base, changes }: Tail): TailChanges {
  const inodes = new Set<Ino>()
  const directories = new Set<Ino>()
  for (const change of changes) {
    const { kind, high } = change
    if (kind === KIND_EXTENT || kind === KIND_XATTR) inodes.add(high)
    else if (kind === KIND_ENTRY) directories.add(high)
    else if (kind === KIND_INODE && 'low' in change) inodes.add(change.low)
  }
  const added: NamedInode[] = []
  const removed: NamedInode[] = []
  for (const parent of directories) {
    const [was, is] = [entriesIn(base, parent), entriesIn(mine, parent)]
    for (const { name, ino } of was.values()) if (is.get(name)?.ino !== ino) removed.push({ parent, name, ino })
    for (const { name, ino } of is.values()) if (was.get(name)?.ino !== ino) added.push({ parent, name, ino })
  }
  return { inodes, directories, added, removed }
}

/** Those that were made there. */
export function inodesMadeIn(tail: Tail): Ino[] {
  const isNew = (ino: Ino): boolean => inodeIn(tail.base, ino) === undefined
  return [...tailChanges(tail).inodes].filter(isNew)
}
