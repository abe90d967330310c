/**
 * What a file system is after a list of operations: just enough of POSIX for programs/crash-writer.c. Only calls that
 * succeeded are applied; one that could not have succeeded here is itself a finding.
 */
import { crc32 } from 'node:zlib'
import { type Operation } from './operation-log.js'

interface Inode {
  type: 'file' | 'directory' | 'link'
  mode: number
  links: number
  data: Buffer
  target: string
  attribute: string
  entries: Map<string, Inode>
  crc: number | undefined
}

export class Model {
  readonly #root = makeInode('directory', 0)

  /** Applies a call that succeeded. */
  apply(operation: Operation): void {
    const { name, path, other, x, y, sequence } = operation
    const changeData = (change: (inode: Inode) => void): void => {
      const inode = this.#find(path, 'file')
      change(inode)
      inode.crc = undefined
    }
    const actions: Record<string, () => void> = {
      write: () => changeData((inode) => overwrite(inode, x, pattern(sequence, x, y))),
      append: () => changeData((inode) => overwrite(inode, inode.data.length, pattern(sequence, 0, y))),
      truncate: () => changeData((inode) => resize(inode, x)),
      punch: () =>
        changeData((inode) => inode.data.fill(0, Math.min(x, inode.data.length), Math.min(x + y, inode.data.length))),
      make: () => this.#add(path, makeInode('file', x)),
      mkdir: () => this.#add(path, makeInode('directory', x)),
      symlink: () => this.#add(path, { ...makeInode('link', 0o777), target: String(sequence) }),
      link: () => this.#add(other, this.#find(path)),
      unlink: () => this.#remove(path, 'file or link'),
      rmdir: () => this.#remove(path, 'directory'),
      rename: () => this.#rename(path, other),
      exchange: () => this.#exchange(path, other),
      chmod: () => void (this.#find(path).mode = x),
      set: () => void (this.#find(path).attribute = String(sequence)),
      unset: () => void (this.#find(path).attribute = '-'),
      fsync: () => void this.#find(path),
    }
    const action = actions[name]
    if (action === undefined) throw new Error(`operation ${name}`)
    action()
  }

  /** The lines of `crash-writer dump`, sorted, with small numbers instead of inode numbers. */
  lines(): string[] {
    const lines: string[] = []
    const visit = (directory: Inode, prefix: string): void => {
      for (const [name, inode] of directory.entries) {
        lines.push(this.#line(prefix + name, inode))
        if (inode.type === 'directory') visit(inode, `${prefix}${name}/`)
      }
    }
    visit(this.#root, '')
    return lines.sort()
  }

  #line(path: string, inode: Inode): string {
    const subdirectories = [...inode.entries.values()].filter(({ type }) => type === 'directory').length
    const links = inode.type === 'directory' ? 2 + subdirectories : inode.links
    inode.crc ??= crc32(inode.data)
    const { type, mode, data, crc, target, attribute } = inode
    return `${path} ${type} ${mode.toString(8)} ${links} ${data.length} ${crc} ${target} ${attribute}`
  }

  #parent(path: string): [Inode, string] {
    const parts = path.split('/')
    const name = parts.pop() ?? ''
    const directory = parts.reduce((at, part) => this.#child(at, part, path), this.#root)
    if (directory.type !== 'directory') throw new Error(`${path}: the parent is no directory`)
    return [directory, name]
  }

  #child(directory: Inode, name: string, path: string): Inode {
    const inode = directory.entries.get(name)
    if (inode === undefined) throw new Error(`${path} does not exist`)
    return inode
  }

  #find(path: string, type?: Inode['type']): Inode {
    const inode = this.#child(...this.#parent(path), path)
    if (type !== undefined && inode.type !== type) throw new Error(`${path} is a ${inode.type}`)
    return inode
  }

  #add(path: string, inode: Inode): void {
    const [directory, name] = this.#parent(path)
    if (directory.entries.has(name)) throw new Error(`${path} exists`)
    directory.entries.set(name, inode)
    inode.links++
  }

  #remove(path: string, wanted: 'directory' | 'file or link'): void {
    const [directory, name] = this.#parent(path)
    const inode = this.#child(directory, name, path)
    if ((inode.type === 'directory') !== (wanted === 'directory')) throw new Error(`${path} is a ${inode.type}`)
    if (inode.entries.size > 0) throw new Error(`${path} is not empty`)
    directory.entries.delete(name)
    inode.links--
  }

  #rename(from: string, to: string): void {
    const moved = this.#find(from)
    const [target, name] = this.#parent(to)
    const replaced = target.entries.get(name)
    if (replaced === moved) return
    if (replaced !== undefined) this.#remove(to, moved.type === 'directory' ? 'directory' : 'file or link')
    const [source, oldName] = this.#parent(from)
    source.entries.delete(oldName)
    target.entries.set(name, moved)
  }

  #exchange(a: string, b: string): void {
    const [first, second] = [this.#find(a), this.#find(b)]
    const [[directoryA, nameA], [directoryB, nameB]] = [this.#parent(a), this.#parent(b)]
    directoryA.entries.set(nameA, second)
    directoryB.entries.set(nameB, first)
  }
}

function makeInode(type: Inode['type'], mode: number): Inode {
  const data = Buffer.alloc(0)
  return {
    type,
    mode,
    links: 0,
    data,
    target: '-',
    attribute: '-',
    entries: new Map(),
    crc: type === 'file' ? undefined : 0,
  }
}

/** The bytes that the writer's fill() makes for a call. */
function pattern(sequence: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (sequence * 131 + (offset + i) * 7 + ((offset + i) >> 8)) & 255
  return bytes
}

function resize(inode: Inode, length: number): void {
  const data = Buffer.alloc(length)
  inode.data.copy(data)
  inode.data = data
}

function overwrite(inode: Inode, offset: number, bytes: Buffer): void {
  if (offset + bytes.length > inode.data.length) resize(inode, offset + bytes.length)
  bytes.copy(inode.data, offset)
}
