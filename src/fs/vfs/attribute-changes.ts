/** chmod, chown, truncate and utimens, and what each does to the others' attributes. */
import { AteError } from '../../engine/error.js'
import { ACCESS_ACL, encodeAcl, parseAcl, withMode } from './xattrs/acl.js'
import { XATTR_ACCESS_ACL, XATTR_CAPABILITY, type Inode } from './inodes/inode.js'
import { MAX_SECONDS } from './records/inode-record.js'
import { PERMISSION_BITS, withoutPrivileges } from './inodes/modes.js'
import type { FileSystemState } from './state.js'
import type { AttributeChange, TimeChange } from './types.js'

const CAPABILITY = 'security.capability'

export class AttributeChanges {
  readonly #state: FileSystemState

  constructor(state: FileSystemState) {
    this.#state = state
  }

  apply(inode: Inode, change: AttributeChange): void {
    const { uid, gid, mode, size, atime, mtime } = change
    if (size !== undefined) this.#resize(inode, size)
    if (uid !== undefined || gid !== undefined || change.clearPrivileges === true) this.clearPrivileges(inode)
    if (uid !== undefined) inode.uid = uid
    if (gid !== undefined) inode.gid = gid
    if (mode !== undefined) this.#setMode(inode, mode)
    if (atime !== undefined) {
      const { sec, nsec } = this.#time(atime)
      inode.atimeSec = sec
      inode.atimeNsec = nsec
    }
    if (mtime !== undefined) {
      const { sec, nsec } = this.#time(mtime)
      inode.mtimeSec = sec
      inode.mtimeNsec = nsec
    }
    this.#state.changeInode(inode)
  }

  /** No setuid, setgid or capabilities after a write or a change of owner. Directories keep theirs. */
  clearPrivileges(inode: Inode): void {
    if (inode.isDirectory) return
    inode.mode = withoutPrivileges(inode.mode)
    if ((inode.xattrs & XATTR_CAPABILITY) !== 0) this.#state.xattrs.remove(inode, CAPABILITY)
  }

  #setMode(inode: Inode, mode: number): void {
    inode.mode = (inode.mode & ~PERMISSION_BITS) | (mode & PERMISSION_BITS)
    if ((inode.xattrs & XATTR_ACCESS_ACL) === 0) return
    const { xattrs } = this.#state
    const bytes = xattrs.get(inode, ACCESS_ACL)
    if (bytes !== undefined) xattrs.put(inode, ACCESS_ACL, encodeAcl(withMode(parseAcl(bytes), mode)))
  }

  /**
   * The time of modification changes even when the size does not: ftruncate and O_TRUNC ask for that, and of those the
   * kernel sends nothing but the size. (truncate(2) to the same size need not, and cannot be told from them.)
   */
  #resize(inode: Inode, size: number): void {
    if (inode.isDirectory) throw new AteError('IS_A_DIRECTORY', 'A directory has no size to set.')
    if (!inode.isFile) throw new AteError('INVALID', 'Only a regular file has a size to set.')
    if (!Number.isSafeInteger(size)) throw new AteError('FILE_TOO_LARGE', 'A file has at most 2^53 - 1 bytes.')
    if (size < 0) throw new AteError('INVALID', 'A size is not negative.')
    if (size !== inode.size) this.#state.content.truncate(inode, size)
    inode.setModified(this.#state.clock)
    // Here already: the content is cut, whatever fails now.
    this.#state.inodes.markDirty(inode)
  }

  #time(change: TimeChange): { sec: number; nsec: number } {
    if (change === 'now') return this.#state.clock
    const { sec, nsec } = change
    if (!(nsec >= 0 && nsec < 1e9)) throw new AteError('INVALID', 'Nanoseconds are below a second.')
    return { sec: Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, sec)), nsec }
  }
}
