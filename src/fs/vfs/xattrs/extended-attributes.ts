/** Extended attributes as callers see them: namespaces, flags, and the access lists that are also mode bits (xattr(7)). */
import { fromLatin1 } from '../../../engine/bytes/latin1.js'
import { AteError } from '../../../engine/error.js'
import { ACCESS_ACL, DEFAULT_ACL, isMinimal, parseAcl, permissionsOf } from './acl.js'
import type { Inode } from '../inodes/inode.js'
import { S_IFLNK, S_IFMT, S_ISGID } from '../inodes/modes.js'
import type { FileSystemState } from '../state.js'
import { isXattrName, MAX_XATTR_VALUE_BYTES } from '../records/xattr-record.js'

export const XATTR_CREATE = 1
export const XATTR_REPLACE = 2

const TRUSTED = 'trusted.'
const NAMESPACES = ['user.', TRUSTED, 'security.']

export class ExtendedAttributes {
  readonly #state: FileSystemState

  constructor(state: FileSystemState) {
    this.#state = state
  }

  get(inode: Inode, name: string): Uint8Array | undefined {
    return inode.xattrs === 0 ? undefined : this.#state.xattrs.get(inode, name)
  }

  set(inode: Inode, name: string, value: Uint8Array, flags: number, clearSetgid: boolean): void {
    if (value.length > MAX_XATTR_VALUE_BYTES) throw new AteError('ATTRIBUTE_TOO_LARGE', 'The value is too large.')
    checkName(name)
    const { xattrs } = this.#state
    if (name === ACCESS_ACL || name === DEFAULT_ACL) {
      this.#setAcl(inode, name, value, clearSetgid)
    } else {
      const isKnown = flags !== 0 && xattrs.get(inode, name) !== undefined
      if (isKnown && (flags & XATTR_CREATE) !== 0) throw new AteError('EXISTS', 'The attribute exists.')
      if (!isKnown && (flags & XATTR_REPLACE) !== 0) throw new AteError('NO_ATTRIBUTE', 'There is no such attribute.')
      xattrs.put(inode, name, value)
    }
    this.#state.changeInode(inode)
  }

  /** The names, each followed by a NUL. The kernel does not hide trusted ones from those who may not see them. */
  list(inode: Inode, withTrusted: boolean): Uint8Array {
    const names = this.#state.xattrs.list(inode)
    const shown = names.split('\0').filter((name) => withTrusted || !name.startsWith(TRUSTED))
    return fromLatin1(shown.join('\0'))
  }

  remove(inode: Inode, name: string): void {
    checkName(name)
    if (!this.#state.xattrs.remove(inode, name)) throw new AteError('NO_ATTRIBUTE', 'There is no such attribute.')
    this.#state.changeInode(inode)
  }

  /** An access list that says no more than the mode is the mode; otherwise the mode shows what it amounts to. */
  #setAcl(inode: Inode, name: string, value: Uint8Array, clearSetgid: boolean): void {
    const { xattrs } = this.#state
    if ((inode.mode & S_IFMT) === S_IFLNK) throw new AteError('NOT_SUPPORTED', 'A symbolic link has no access list.')
    const acl = parseAcl(value)
    if (name === DEFAULT_ACL) {
      if (!inode.isDirectory) throw new AteError('ACCESS_DENIED', 'Only a directory has a default access list.')
      xattrs.put(inode, name, value)
      return
    }
    if (isMinimal(acl)) xattrs.remove(inode, name)
    else xattrs.put(inode, name, value)
    inode.mode = (inode.mode & ~0o777) | permissionsOf(acl)
    if (clearSetgid) inode.mode &= ~S_ISGID
  }
}

function checkName(name: string): void {
  if (name === ACCESS_ACL || name === DEFAULT_ACL) return
  if (!NAMESPACES.some((namespace) => name.startsWith(namespace))) {
    throw new AteError('NOT_SUPPORTED', 'Attributes are user., trusted., security. or access lists.')
  }
  if (!isXattrName(name)) throw new AteError('RESULT_TOO_SMALL', "An attribute's name has at most 255 bytes.")
  if (NAMESPACES.includes(name)) throw new AteError('INVALID', 'An attribute needs a name behind its namespace.')
}
