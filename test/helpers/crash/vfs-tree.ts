/** A whole file system as text that is the same exactly when the file systems are: names, attributes, times, contents. */
import { crc32 } from 'node:zlib'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../../src/fs/vfs/inodes/modes.js'
import { ROOT_INO, type Ino } from '../../../src/fs/vfs/types.js'
import { listDirectory, readAll } from '../open-memory-fs.js'

export interface TreeEntry {
  parent: Ino
  name: string
  ino: Ino
  type: number
}

export interface Tree {
  text: string
  entries: TreeEntry[]
}

export async function treeOf(fs: ChainFileSystem): Promise<Tree> {
  const lines = [`/ ${await describe(fs, ROOT_INO)}`]
  const entries: TreeEntry[] = []
  const visit = async (directory: Ino, prefix: string): Promise<void> => {
    for (const { name, ino } of listDirectory(fs, directory)) {
      const type = fs.getAttributes(ino).mode & S_IFMT
      entries.push({ parent: directory, name, ino, type })
      lines.push(`${prefix}${name} ${await describe(fs, ino)}`)
      if (type === S_IFDIR) await visit(ino, `${prefix}${name}/`)
    }
  }
  await visit(ROOT_INO, '/')
  return { text: lines.sort().join('\n'), entries }
}

async function describe(fs: ChainFileSystem, ino: Ino): Promise<string> {
  const a = fs.getAttributes(ino)
  const times = [a.atimeSec, a.atimeNsec, a.mtimeSec, a.mtimeNsec, a.ctimeSec, a.ctimeNsec, a.birthSec, a.birthNsec]
  const type = a.mode & S_IFMT
  const numbers = [ino, a.mode.toString(8), a.nlink, a.uid, a.gid, a.size, ...times]
  let content = ''
  if (type === S_IFREG) content = String(crc32(await readAll(fs, ino)))
  else if (type === S_IFLNK) content = Buffer.from(fs.readLink(ino)).toString('latin1')
  return `${numbers.join(' ')} ${content} ${describeXattrs(fs, ino)}`
}

function describeXattrs(fs: ChainFileSystem, ino: Ino): string {
  const names = Buffer.from(fs.listExtendedAttributes(ino)).toString('latin1').split('\0')
  const shown = names
    .filter((name) => name !== '')
    .map((name) => `${name}=${Buffer.from(fs.getExtendedAttribute(ino, name) ?? []).toString('hex')}`)
  return shown.sort().join()
}
