/**
 * Path resolution as the kernel does it (path_resolution(7)) over a FileSystem's lookups: '.', '..', repeated and
 * trailing slashes, symlinks up to forty.
 */
import type { Attributes, FileSystem, Ino, Name } from '../../../src/fs/vfs/types.js'
import { ROOT_INO } from '../../../src/fs/vfs/types.js'
import { S_IFDIR, S_IFLNK, S_IFMT } from './constants.js'
import { failure } from './vfs-failure.js'

const MAX_SYMLINKS = 40
const MAX_PATH_BYTES = 4095

export interface Place {
  parent: Ino
  /** The last name; '.' for the root. */
  name: Name
  /** Undefined when there is no such entry. */
  found: { ino: Ino; mode: number } | undefined
  hasTrailingSlash: boolean
}

export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR
}

/** Resolves everything but the last name, and that too when it is a symlink and `follow`. */
export async function walk(fs: FileSystem, path: Buffer, follow: boolean): Promise<Place> {
  if (path.length > MAX_PATH_BYTES) throw failure('ENAMETOOLONG', 'walk')
  let names = path.toString('latin1').split('/')
  let at: Ino = ROOT_INO
  for (let links = 0; ;) {
    const name = names.shift() as Name | undefined
    if (name === undefined) return { parent: at, name: '.' as Name, found: await known(fs, at), hasTrailingSlash: true }
    if (name === '' && names.length > 0) continue
    if (name === '') return { parent: at, name: '.' as Name, found: await known(fs, at), hasTrailingSlash: true }
    const isLast = names.every((rest) => rest === '')
    const hasTrailingSlash = isLast && names.length > 0
    const entry = await fs.lookup(at, name)
    const found = entry && copy(entry)
    if (found !== undefined && (found.mode & S_IFMT) === S_IFLNK && (!isLast || follow || hasTrailingSlash)) {
      if (++links > MAX_SYMLINKS) throw failure('ELOOP', 'walk')
      const target = Buffer.from(await fs.readLink(found.ino)).toString('latin1')
      if (target.startsWith('/')) at = ROOT_INO
      names = [...target.split('/'), ...names]
      continue
    }
    if (isLast) {
      if (hasTrailingSlash && found !== undefined && !isDirectory(found.mode)) throw failure('ENOTDIR', 'walk')
      return { parent: at, name, found, hasTrailingSlash }
    }
    if (found === undefined) throw failure('ENOENT', 'walk')
    if (!isDirectory(found.mode)) throw failure('ENOTDIR', 'walk')
    at = found.ino
  }
}

const copy = ({ ino, mode }: Attributes): { ino: Ino; mode: number } => ({ ino, mode })

async function known(fs: FileSystem, ino: Ino): Promise<{ ino: Ino; mode: number }> {
  return copy(await fs.getAttributes(ino))
}
