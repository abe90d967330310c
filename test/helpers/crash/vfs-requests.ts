/** Random requests to a file system that holds `tree`: some fail, as those of programs do. */
import { AteError } from '../../../src/engine/error.js'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { S_IFDIR, S_IFREG } from '../../../src/fs/vfs/inodes/modes.js'
import { FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, RENAME_EXCHANGE, ROOT_INO } from '../../../src/fs/vfs/types.js'
import type { Ino } from '../../../src/fs/vfs/types.js'
import { KEEP_PRIVILEGES, nameOf, USER } from '../open-memory-fs.js'
import type { Tree } from './vfs-tree.js'

const NAMES = 9
const LARGE_WRITE_BYTES = 150_000
const SMALL_WRITE_BYTES = 9000
const MAX_FILE_BYTES = 20_000

interface Chosen {
  fs: ChainFileSystem
  nat: (below: number) => number
  directory: Ino
  other: Ino
  name: ReturnType<typeof nameOf>
  /** A name that is there, as far as there is any. */
  entry: { parent: Ino; name: ReturnType<typeof nameOf>; ino: Ino }
  file: Ino
}

const write = ({ fs, nat, file }: Chosen, offset: number): unknown => {
  const length = 1 + nat(nat(8) === 0 ? LARGE_WRITE_BYTES : SMALL_WRITE_BYTES)
  return fs.write(file, offset, new Uint8Array(length).fill(1 + nat(255)), KEEP_PRIVILEGES)
}

/** Listed as often as they are likely. */
const REQUESTS: ((c: Chosen) => unknown)[] = [
  ({ fs, directory, name }) => fs.makeNode(directory, name, { mode: 0o100644, rdev: 0, umask: 0 }, USER),
  ({ fs, directory, name }) => fs.makeNode(directory, name, { mode: 0o100600, rdev: 0, umask: 0 }, USER),
  ({ fs, directory, name }) => fs.makeDirectory(directory, name, 0o755, 0, USER),
  ({ fs, directory, name, nat }) => fs.makeSymlink(directory, name, Buffer.from(`target ${nat(1e6)}`), USER),
  ({ fs, directory, name, file }) => fs.link(file, directory, name, USER),
  (c) => write(c, c.nat(MAX_FILE_BYTES)),
  (c) => write(c, c.fs.getAttributes(c.file).size),
  (c) => write(c, c.fs.getAttributes(c.file).size),
  ({ fs, file, nat }) => fs.setAttributes(file, { size: nat(MAX_FILE_BYTES) }, USER),
  ({ fs, file, nat }) => fs.allocate(file, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, nat(9000), 1 + nat(9000), USER),
  ({ fs, entry, nat }) => fs.setAttributes(entry.ino, { mode: nat(0o1000), mtime: { sec: nat(1e9), nsec: 5 } }, USER),
  ({ fs, entry, other, name }) => fs.rename(entry.parent, entry.name, other, name, 0, USER),
  ({ fs, entry, other, name }) => fs.rename(entry.parent, entry.name, other, name, 0, USER),
  ({ fs, entry, other, name }) => fs.rename(entry.parent, entry.name, other, name, RENAME_EXCHANGE, USER),
  ({ fs, entry }) => fs.unlink(entry.parent, entry.name, USER),
  // Still open: it lives on without a name.
  ({ fs, entry }) => {
    fs.retain(entry.ino)
    return fs.unlink(entry.parent, entry.name, USER)
  },
  ({ fs, entry }) => fs.removeDirectory(entry.parent, entry.name, USER),
  ({ fs, file, nat }) =>
    fs.setExtendedAttribute(file, `user.${nat(3)}`, Buffer.alloc(nat(300), nat(255)), 0, USER, false),
  ({ fs, file, nat }) => fs.removeExtendedAttribute(file, `user.${nat(3)}`, USER),
]

/** Does one. False when it was refused, which must change nothing. */
export async function doRandomRequest(fs: ChainFileSystem, { entries }: Tree, random: () => number): Promise<boolean> {
  const nat = (below: number): number => Math.floor(random() * below)
  const directories = [ROOT_INO, ...entries.filter(({ type }) => type === S_IFDIR).map(({ ino }) => ino)]
  const files = entries.filter(({ type }) => type === S_IFREG).map(({ ino }) => ino)
  const { parent, name, ino } = entries[nat(entries.length)] ?? { parent: ROOT_INO, name: 'none', ino: ROOT_INO }
  const directory = directories[nat(directories.length)] ?? ROOT_INO
  const other = directories[nat(directories.length)] ?? ROOT_INO
  const chosen = { directory, other, name: nameOf(`name ${nat(NAMES)}`), file: files[nat(files.length)] ?? ROOT_INO }
  const request = REQUESTS[nat(REQUESTS.length)]
  try {
    await request?.({ fs, nat, ...chosen, entry: { parent, name: nameOf(name), ino } })
    return true
  } catch (error) {
    if (!(error instanceof AteError) || error.code === 'WRITE_FAILED') throw error
    return false
  }
}
