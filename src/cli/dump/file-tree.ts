/** The files of a chain as a tree, told by their records: no content is opened. */
import type { RecordReader } from '../../engine/transaction/record-reader.js'
import { pages } from '../../engine/dio/pages.js'
import { escapeName } from '../../fs/vfs/check/escape-name.js'
import { CONTENT_INLINE, CONTENT_RECORDS, type Inode } from '../../fs/vfs/inodes/inode.js'
import { bucketOf } from '../../fs/vfs/inodes/inode-store.js'
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../../fs/vfs/inodes/modes.js'
import { decodeEntries, type Entry } from '../../fs/vfs/records/entry-record.js'
import { decodeExtent } from '../../fs/vfs/records/extent-record.js'
import { decodeInode } from '../../fs/vfs/records/inode-record.js'
import { KIND_ENTRY, KIND_EXTENT, KIND_INODE, KIND_XATTR } from '../../fs/vfs/records/record-kinds.js'
import { toLatin1 } from '../../engine/bytes/latin1.js'
import { ROOT_INO, type Ino } from '../../fs/vfs/types.js'

const TYPES = new Map<number, 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'character device' | 'block device'>([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'link'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
  [S_IFCHR, 'character device'],
  [S_IFBLK, 'block device'],
])

export interface DumpedFile {
  /** 0 for the root directory. */
  depth: number
  /** From the root, with a leading slash; what is not printable is escaped. */
  path: string
  /** Its last part. */
  name: string
  inode: Ino
  type: string
  /** Permission bits, octal. */
  mode: string
  links: number
  uid: number
  gid: number
  size: number
  modifiedMs: number
  /** Where a symbolic link leads. */
  target?: string
  /** Extended attributes. */
  attributes?: number
  /** Of a file that is not empty: its extents, and the bodies of the log that they lie in. */
  extents?: number
  bodies?: readonly number[]
}

export interface BrokenFile {
  depth: number
  path: string
  name: string
  inode: Ino
  /** What is wrong. */
  broken: string
}

export type FileLine = DumpedFile | BrokenFile

/** PATH_MAX / 2: no path that a program can name is deeper. */
const MAX_DEPTH = 2048

interface Place {
  depth: number
  path: string
  name: string
  parent: Ino
}

type Step = { ino: Ino; place: Place } | BrokenFile

/** In the order of the directories' records, what is in a directory behind it. Memory: a page of entries for each level. */
export function* fileTree(reader: RecordReader): Generator<FileLine> {
  const root: Place = { depth: 0, path: '/', name: '/', parent: ROOT_INO }
  const levels: Iterator<Step>[] = [[{ ino: ROOT_INO, place: root }].values()]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.next()
    if (next.done === true) levels.pop()
    else if ('broken' in next.value) yield next.value
    else {
      const { ino, place } = next.value
      const { line, isDirectory } = lineOf(reader, ino, place)
      yield line
      if (isDirectory) levels.push(entriesBelow(reader, ino, place))
    }
  }
}

function* entriesBelow(reader: RecordReader, directory: Ino, { depth, path }: Place): Generator<Step> {
  for (const { value } of pages(() => reader, KIND_ENTRY, directory)) {
    let entries: Entry[]
    try {
      entries = decodeEntries(value)
    } catch (error) {
      yield { depth: depth + 1, path: `${path}?`, name: '?', inode: directory, broken: messageOf(error) }
      continue
    }
    for (const { ino, name } of entries) {
      const text = escapeName(name)
      const below = `${path === '/' ? '' : path}/${text}`
      yield { ino, place: { depth: depth + 1, path: below, name: text, parent: directory } }
    }
  }
}

function lineOf(reader: RecordReader, ino: Ino, place: Place): { line: FileLine; isDirectory: boolean } {
  const { depth, path, name, parent } = place
  const broken = (what: string): { line: BrokenFile; isDirectory: false } => ({
    line: { depth, path, name, inode: ino, broken: what },
    isDirectory: false,
  })
  try {
    const bytes = reader.get(KIND_INODE, bucketOf(ino), ino)
    if (bytes === undefined) return broken('is not there')
    const inode = decodeInode(ino, bytes)
    const isDirectory = (inode.mode & S_IFMT) === S_IFDIR
    // Otherwise a damaged chain could lead in a circle.
    if (isDirectory && inode.parent !== parent) return broken('says that it is in another directory')
    if (depth >= MAX_DEPTH) return broken('lies too deep: what is below is left out')
    return { line: describe(reader, inode, place), isDirectory }
  } catch (error) {
    return broken(messageOf(error))
  }
}

function describe(reader: RecordReader, inode: Inode, { depth, path, name }: Place): DumpedFile {
  const { ino, mode, nlink, uid, gid, size, target } = inode
  return {
    depth,
    path,
    name,
    inode: ino,
    type: TYPES.get(mode & S_IFMT) ?? 'unknown',
    mode: (mode & ~S_IFMT).toString(8).padStart(4, '0'),
    links: nlink,
    uid,
    gid,
    size,
    modifiedMs: inode.mtimeSec * 1000 + Math.floor(inode.mtimeNsec / 1e6),
    ...(target === undefined ? {} : { target: escapeName(toLatin1(target)) }),
    ...(inode.xattrs === 0 ? {} : { attributes: [...pages(() => reader, KIND_XATTR, ino)].length }),
    ...contentOf(reader, inode),
  }
}

function contentOf(reader: RecordReader, inode: Inode): Pick<DumpedFile, 'extents' | 'bodies'> {
  if (inode.content === CONTENT_INLINE) return { extents: 1, bodies: [inode.body] }
  if (inode.content !== CONTENT_RECORDS) return {}
  const bodies = new Set<number>()
  let extents = 0
  for (const { low, value } of pages(() => reader, KIND_EXTENT, inode.ino)) {
    extents++
    bodies.add(decodeExtent(low, value).body)
  }
  return { extents, bodies: [...bodies] }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'cannot be read'
}
