/**
 * A whole tree as plain data that must be the same on both sides: attributes, contents, links, extended attributes. What the
 * permissions keep from an ordinary user must be kept on both.
 */
import type { PosixClient } from '../posix/client.js'
import { entries, errnoOf, readFile, withOpen } from '../posix/files.js'
import { O_RDONLY, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, SEEK_DATA, SEEK_HOLE } from '../posix/constants.js'
import { digest, showStat } from './operations.js'

export type Snapshot = Map<string, object>

const DENIED = { denied: true }

export async function takeSnapshot(c: PosixClient): Promise<Snapshot> {
  const snapshot: Snapshot = new Map()
  const firstPaths = new Map<number, string>()
  await addDirectory(c, '.', snapshot, firstPaths)
  return snapshot
}

async function addDirectory(
  c: PosixClient,
  at: string,
  snapshot: Snapshot,
  firstPaths: Map<number, string>,
): Promise<void> {
  const listed = await unlessDenied(() => entries(c, Buffer.from(at, 'latin1')))
  if (listed === undefined) {
    snapshot.set(`${at}/`, DENIED)
    return
  }
  const children = listed
    .map(({ name, ino, type }) => ({ name: name.toString('latin1'), ino, type }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name, ino, type } of children) {
    const path = `${at}/${name}`
    if (name === '..') continue
    const stat = await unlessDenied(() => c.lstat(Buffer.from(path, 'latin1')))
    if (stat === undefined) {
      snapshot.set(path, { type, ...DENIED })
      continue
    }
    if (stat.ino !== ino) throw new Error(`${path} is inode ${ino} in the listing and ${stat.ino} by stat`)
    // Names of one file are a group, called by the first of them.
    const sameAs = firstPaths.get(ino) ?? path
    firstPaths.set(ino, sameAs)
    const kind = stat.mode & S_IFMT
    const more = await unlessDenied(() => extras(c, Buffer.from(path, 'latin1'), kind))
    snapshot.set(path, { type, sameAs, ...showStat(stat), ...(more ?? DENIED) })
    if (kind === S_IFDIR && name !== '.') await addDirectory(c, path, snapshot, firstPaths)
  }
}

/** Undefined when permission is denied. */
async function unlessDenied<T>(action: () => T | Promise<T>): Promise<T | undefined> {
  let result: T | undefined
  const errno = await errnoOf(async () => {
    result = await action()
  })
  if (errno !== undefined && errno !== 'EACCES') throw new Error(errno)
  return result
}

async function extras(c: PosixClient, path: Buffer, kind: number): Promise<object> {
  const attributes: Record<string, string> = {}
  for (const name of (await c.listxattr(path)).sort()) attributes[name] = (await c.getxattr(path, name)).toString('hex')
  if (kind === S_IFLNK) return { target: (await c.readlink(path)).toString('latin1') }
  if (kind === S_IFREG) return { attributes, content: digest(await contentOf(c, path)) }
  return { attributes }
}

/** As long as any file here can get. */
const ZEROS = Buffer.alloc(1024 * 1024)

/** The content, read whole, and checked against the map of data and holes. */
async function contentOf(c: PosixClient, path: Buffer): Promise<Buffer> {
  const content = await readFile(c, path)
  await withOpen(
    c,
    path,
    async (fd) => {
      for (let at = 0; at < content.length;) {
        const data = await dataFrom(c, fd, at, content.length)
        const hole = content.subarray(at, Number(data))
        if (!hole.equals(ZEROS.subarray(0, hole.length))) throw new Error('there is data in a hole')
        at = data >= content.length ? content.length : Number(await c.lseek(fd, data, SEEK_HOLE))
      }
    },
    O_RDONLY,
  )
  return content
}

/** Where the next data begins; the end of the file when there is none. */
async function dataFrom(c: PosixClient, fd: number, at: number, size: number): Promise<bigint> {
  let found = BigInt(size)
  await errnoOf(async () => {
    found = await c.lseek(fd, at, SEEK_DATA)
  })
  return found
}
