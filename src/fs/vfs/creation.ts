/** Making inodes: what a new one inherits from its directory and its maker. */
import { copyOf } from '../../engine/bytes/copy.js'
import { AteError } from '../../engine/error.js'
import { ACCESS_ACL, DEFAULT_ACL, encodeAcl, inherited, isMinimal, parseAcl, permissionsOf } from './xattrs/acl.js'
import { Inode, XATTR_DEFAULT_ACL } from './inodes/inode.js'
import { MAX_TARGET_BYTES } from './records/inode-record.js'
import {
  entryType,
  isMode,
  PERMISSION_BITS,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISGID,
} from './inodes/modes.js'
import type { FileSystemState } from './state.js'
import type { Caller, Ino, MakeNode, Name } from './types.js'

/** Subdirectories count as links of their directory: what st_nlink of the kernel's interface can say. */
export const MAX_LINKS = 0xffff_ffff

export class Creation {
  readonly #state: FileSystemState

  constructor(state: FileSystemState) {
    this.#state = state
  }

  makeNode(parent: Ino, name: Name, node: MakeNode, caller: Caller): Inode {
    // mknod(2): no type means a regular file.
    const mode = (node.mode & S_IFMT) === 0 ? node.mode | S_IFREG : node.mode
    const type = mode & S_IFMT
    if (!isMode(mode) || type === S_IFDIR || type === S_IFLNK) {
      throw new AteError('INVALID', 'Not a type of file that can be made so.')
    }
    const directory = this.#free(parent, name)
    const inode = this.#begin(directory, mode, caller)
    if (type === S_IFCHR || type === S_IFBLK) inode.rdev = node.rdev >>> 0
    this.#inherit(directory, inode, node.umask)
    return this.#finish(directory, name, inode)
  }

  makeDirectory(parent: Ino, name: Name, mode: number, umask: number, caller: Caller): Inode {
    const directory = this.#free(parent, name)
    if (directory.nlink >= MAX_LINKS) throw new AteError('TOO_MANY_LINKS', 'The directory has too many subdirectories.')
    const inode = this.#begin(directory, (mode & PERMISSION_BITS) | S_IFDIR, caller)
    this.#inherit(directory, inode, umask)
    if ((directory.mode & S_ISGID) !== 0) inode.mode |= S_ISGID
    this.#finish(directory, name, inode)
    inode.nlink = 2
    directory.nlink++
    return inode
  }

  makeSymlink(parent: Ino, name: Name, target: Uint8Array, caller: Caller): Inode {
    if (target.length === 0) throw new AteError('NO_ENTRY', 'A symbolic link needs a target.')
    if (target.length > MAX_TARGET_BYTES) throw new AteError('NAME_TOO_LONG', 'The target is too long.')
    const directory = this.#free(parent, name)
    const inode = this.#begin(directory, S_IFLNK | 0o777, caller)
    inode.target = copyOf(target)
    inode.size = target.length
    return this.#finish(directory, name, inode)
  }

  makeTemporary(parent: Ino, mode: number, umask: number, caller: Caller): Inode {
    const { inodes } = this.#state
    const directory = this.#state.livingDirectory(parent)
    const inode = this.#begin(directory, (mode & PERMISSION_BITS) | S_IFREG, caller)
    this.#inherit(directory, inode, umask)
    this.#state.numbers.inodes++
    inodes.add(inode)
    inodes.markOrphan(inode)
    return inode
  }

  /** The directory, in which the name must be free. */
  #free(parent: Ino, name: Name): Inode {
    const directory = this.#state.livingDirectory(parent)
    if (this.#state.entries.find(parent, name) !== undefined) throw new AteError('EXISTS', 'The name is taken.')
    return directory
  }

  #begin(directory: Inode, mode: number, caller: Caller): Inode {
    const { clock, numbers } = this.#state
    const inode = new Inode(numbers.take(), mode)
    inode.uid = caller.uid
    inode.gid = (directory.mode & S_ISGID) === 0 ? caller.gid : directory.gid
    inode.parent = directory.ino
    inode.setModified(clock)
    inode.setAccessed(clock)
    inode.birthSec = clock.sec
    inode.birthNsec = clock.nsec
    return inode
  }

  /** A default list of the directory takes the umask's place (acl(5), object creation). */
  #inherit(directory: Inode, inode: Inode, umask: number): void {
    const { xattrs } = this.#state
    const isListed = (directory.xattrs & XATTR_DEFAULT_ACL) !== 0
    const bytes = isListed ? xattrs.get(directory, DEFAULT_ACL) : undefined
    if (bytes === undefined) {
      inode.mode &= ~(umask & 0o777)
      return
    }
    const acl = inherited(parseAcl(bytes), inode.mode)
    inode.mode = (inode.mode & ~0o777) | permissionsOf(acl)
    if (!isMinimal(acl)) xattrs.put(inode, ACCESS_ACL, encodeAcl(acl))
    if (inode.isDirectory) xattrs.put(inode, DEFAULT_ACL, bytes)
  }

  #finish(directory: Inode, name: Name, inode: Inode): Inode {
    this.#state.entries.insert(directory.ino, name, inode.ino, entryType(inode.mode))
    inode.nlink = 1
    this.#state.numbers.inodes++
    this.#state.inodes.add(inode)
    this.#state.changeDirectory(directory, 1)
    return inode
  }
}
