/**
 * The smallest FileSystem a driver can be tested with: everything in memory, few rules. What is right or wrong about files
 * is the vfs's and is tested there; here only what must travel between the kernel and a FileSystem.
 */
import { AteError } from '../../src/engine/error.js'
import {
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  ROOT_INO,
  SEEK_DATA,
  type Answer,
  type AttributeChange,
  type Attributes,
  type Caller,
  type EntrySink,
  type FileSystem,
  type FileSystemStatistics,
  type Ino,
  type MakeNode,
  type Name,
  type TimeChange,
  type WriteOptions,
} from '../../src/fs/vfs/types.js'

const NO_DATA = Buffer.alloc(0)

class Node implements Attributes {
  nlink = 1
  size = 0
  blocks = 0
  atimeSec = 0
  atimeNsec = 0
  mtimeSec = 0
  mtimeNsec = 0
  ctimeSec = 0
  ctimeNsec = 0
  readonly birthSec = 0
  readonly birthNsec = 0
  data = NO_DATA
  references = 0
  entries: Map<Name, Ino> | undefined
  xattrs: Map<string, Uint8Array> | undefined

  constructor(
    readonly ino: Ino,
    public mode: number,
    public uid: number,
    public gid: number,
    readonly rdev: number,
    readonly parent: Ino,
  ) {}
}

const S_IFMT = 0o170000
const S_IFDIR = 0o040000
const S_IFLNK = 0o120000

export class MemoryFileSystem implements FileSystem {
  readonly nodes = new Map<Ino, Node>()
  #lastIno = 0
  /** What `sync` waits for. */
  syncGate: Promise<void> = Promise.resolve()
  readonly #now: () => number

  /** `now` in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now
    this.#make(S_IFDIR | 0o755, 0, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, pid: 0 }, ROOT_INO)
  }

  #make(mode: number, rdev: number, caller: Caller, parent: Ino): Node {
    const node = new Node(++this.#lastIno, mode, caller.uid, caller.gid, rdev, parent)
    if ((mode & S_IFMT) === S_IFDIR) {
      node.nlink = 2
      node.entries = new Map()
    }
    setTime(node, 'atime', 'now', this.#now())
    touch(node, this.#now())
    this.nodes.set(node.ino, node)
    return node
  }

  #node(ino: Ino): Node {
    const node = this.nodes.get(ino)
    if (node === undefined) throw new AteError('STALE', `inode ${ino} is gone`)
    return node
  }

  #entries(ino: Ino): Map<Name, Ino> {
    const { entries } = this.#node(ino)
    if (entries === undefined) throw new AteError('NOT_A_DIRECTORY', `inode ${ino} is no directory`)
    return entries
  }

  #child(parent: Ino, name: Name): Node {
    const ino = this.#entries(parent).get(name)
    if (ino === undefined) throw new AteError('NO_ENTRY', 'no such entry')
    return this.#node(ino)
  }

  #add(parent: Ino, name: Name, node: Node): Node {
    const directory = this.#node(parent)
    this.#entries(parent).set(name, node.ino)
    touch(directory, this.#now())
    return node
  }

  #drop(node: Node): void {
    if (node.nlink === 0 && node.references === 0) this.nodes.delete(node.ino)
  }

  #absent(parent: Ino, name: Name): void {
    if (this.#entries(parent).has(name)) throw new AteError('EXISTS', 'the entry exists')
  }

  lookup(parent: Ino, name: Name): Attributes | undefined {
    if (name === '.') return this.#node(parent)
    if (name === '..') return this.#node(this.#node(parent).parent)
    const ino = this.#entries(parent).get(name)
    return ino === undefined ? undefined : this.#node(ino)
  }

  getAttributes(ino: Ino): Attributes {
    return this.#node(ino)
  }

  setAttributes(ino: Ino, change: AttributeChange): Attributes {
    const node = this.#node(ino)
    if (change.mode !== undefined) node.mode = (node.mode & S_IFMT) | (change.mode & ~S_IFMT)
    if (change.uid !== undefined) node.uid = change.uid
    if (change.gid !== undefined) node.gid = change.gid
    if (change.size !== undefined) resize(node, change.size)
    if (change.clearPrivileges === true) node.mode &= ~0o6000
    if (change.atime !== undefined) setTime(node, 'atime', change.atime, this.#now())
    if (change.mtime !== undefined) setTime(node, 'mtime', change.mtime, this.#now())
    setTime(node, 'ctime', 'now', this.#now())
    return node
  }

  readLink(ino: Ino): Uint8Array {
    return this.#node(ino).data
  }

  makeNode(parent: Ino, name: Name, { mode, rdev, umask }: MakeNode, caller: Caller): Attributes {
    this.#absent(parent, name)
    return this.#add(parent, name, this.#make(mode & ~umask, rdev, caller, parent))
  }

  makeDirectory(parent: Ino, name: Name, mode: number, umask: number, caller: Caller): Attributes {
    this.#absent(parent, name)
    this.#node(parent).nlink++
    return this.#add(parent, name, this.#make(S_IFDIR | (mode & ~umask), 0, caller, parent))
  }

  makeSymlink(parent: Ino, name: Name, target: Uint8Array, caller: Caller): Attributes {
    this.#absent(parent, name)
    const node = this.#make(S_IFLNK | 0o777, 0, caller, parent)
    node.data = Buffer.from(target)
    node.size = target.length
    node.blocks = Math.ceil(target.length / 4096) * 8
    return this.#add(parent, name, node)
  }

  makeTemporary(parent: Ino, mode: number, umask: number, caller: Caller): Attributes {
    const node = this.#make(mode & ~umask, 0, caller, parent)
    node.nlink = 0
    return node
  }

  link(ino: Ino, parent: Ino, name: Name): Attributes {
    this.#absent(parent, name)
    const node = this.#node(ino)
    node.nlink++
    return this.#add(parent, name, node)
  }

  unlink(parent: Ino, name: Name): void {
    const node = this.#child(parent, name)
    this.#entries(parent).delete(name)
    node.nlink--
    touch(this.#node(parent), this.#now())
    this.#drop(node)
  }

  removeDirectory(parent: Ino, name: Name): void {
    const node = this.#child(parent, name)
    if (node.entries?.size !== 0) throw new AteError('NOT_EMPTY', 'the directory is not empty')
    this.#entries(parent).delete(name)
    this.#node(parent).nlink--
    node.nlink = 0
    touch(this.#node(parent), this.#now())
    this.#drop(node)
  }

  rename(parent: Ino, name: Name, newParent: Ino, newName: Name, flags: number): void {
    const node = this.#child(parent, name)
    const from = this.#node(parent)
    const to = this.#node(newParent)
    const replaced = this.#entries(newParent).get(newName)
    if (flags === RENAME_NOREPLACE && replaced !== undefined) throw new AteError('EXISTS', 'the entry exists')
    this.#entries(parent).delete(name)
    this.#entries(newParent).set(newName, node.ino)
    if (flags === RENAME_EXCHANGE && replaced !== undefined) this.#entries(parent).set(name, replaced)
    else if (replaced !== undefined) {
      this.#node(replaced).nlink--
      this.#drop(this.#node(replaced))
    }
    touch(from, this.#now())
    touch(to, this.#now())
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, targetStart: number): Answer<number> {
    const node = this.#node(ino)
    const end = Math.min(offset + length, node.size)
    return end <= offset ? 0 : node.data.copy(target, targetStart, offset, end)
  }

  write(ino: Ino, offset: number, data: Uint8Array, options: WriteOptions): number {
    const node = this.#node(ino)
    const end = offset + data.length
    if (end > node.size) resize(node, end)
    node.data.set(data, offset)
    if (options.clearPrivileges) node.mode &= ~0o6000
    touch(node, this.#now())
    return data.length
  }

  allocate(ino: Ino, _mode: number, offset: number, length: number): void {
    const node = this.#node(ino)
    if (offset + length > node.size) resize(node, offset + length)
  }

  seek(ino: Ino, offset: number, whence: number): number {
    const { size } = this.#node(ino)
    if (offset >= size) throw new AteError('NO_DATA_BEYOND', 'no data beyond')
    return whence === SEEK_DATA ? offset : size
  }

  copyRange(source: Ino, sourceOffset: number, target: Ino, targetOffset: number, length: number): number {
    const { data, size } = this.#node(source)
    const piece = data.subarray(sourceOffset, Math.min(sourceOffset + length, size))
    return this.write(target, targetOffset, piece, { clearPrivileges: false })
  }

  readDirectory(ino: Ino, cookie: number, sink: EntrySink): Answer<void> {
    const node = this.#node(ino)
    const entries: [string, Ino][] = [['.', ino], ['..', node.parent], ...this.#entries(ino)]
    for (let i = cookie; i < entries.length; i++) {
      const [name, child] = entries[i] ?? ['', 0]
      if (!sink(name as Name, child, this.#node(child).mode >> 12, i + 1)) return
    }
  }

  getExtendedAttribute(ino: Ino, name: string): Uint8Array | undefined {
    return this.#node(ino).xattrs?.get(name)
  }

  setExtendedAttribute(ino: Ino, name: string, value: Uint8Array): void {
    const node = this.#node(ino)
    node.xattrs ??= new Map()
    node.xattrs.set(name, value)
  }

  listExtendedAttributes(ino: Ino): Uint8Array {
    return Buffer.from([...(this.#node(ino).xattrs?.keys() ?? [])].map((name) => `${name}\0`).join(''), 'latin1')
  }

  removeExtendedAttribute(ino: Ino, name: string): void {
    if (this.#node(ino).xattrs?.delete(name) !== true) throw new AteError('NO_ATTRIBUTE', 'no such attribute')
  }

  statistics(): FileSystemStatistics {
    const space = { blockBytes: 4096, blocks: 1000, freeBlocks: 900, availableBlocks: 800 }
    return { ...space, files: this.nodes.size, freeFiles: 1000, maxNameBytes: 255 }
  }

  sync(): Promise<void> {
    return this.syncGate
  }

  retain(ino: Ino): void {
    this.#node(ino).references++
  }

  release(ino: Ino, count: number): void {
    const node = this.nodes.get(ino)
    if (node === undefined) return
    node.references -= count
    this.#drop(node)
  }
}

function resize(node: Node, size: number): void {
  if (size > node.data.length) {
    const grown = Buffer.alloc(Math.max(size, node.data.length * 2))
    node.data.copy(grown)
    node.data = grown
  } else if (size < node.size) {
    node.data.fill(0, size, node.size)
  }
  node.size = size
  node.blocks = Math.ceil(size / 4096) * 8
}

function setTime(node: Node, which: 'atime' | 'mtime' | 'ctime', time: TimeChange, now: number): void {
  const sec = time === 'now' ? Math.floor(now / 1000) : time.sec
  const nsec = time === 'now' ? (now % 1000) * 1_000_000 : time.nsec
  node[`${which}Sec`] = sec
  node[`${which}Nsec`] = nsec
}

function touch(node: Node, now: number): void {
  node.mtimeSec = node.ctimeSec = Math.floor(now / 1000)
  node.mtimeNsec = node.ctimeNsec = (now % 1000) * 1_000_000
}
