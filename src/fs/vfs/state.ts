/** What all operations share: the parts of one open file system, and what they do to an inode that loses its last name. */
import type { RecordView } from '../../engine/chain/record-view.js'
import { sipHash53 } from '../../engine/crypto/siphash.js'
import { AteError } from '../../engine/error.js'
import { WallClock, type Clock } from './clock.js'
import { Content } from './content/content.js'
import { DirectoryEntries, type NameHash } from './directories/directory-entries.js'
import { DirectoryPages } from './directories/directory-pages.js'
import type { Inode } from './inodes/inode.js'
import { InodeNumbers } from './inodes/inode-numbers.js'
import { InodeStore } from './inodes/inode-store.js'
import { DEFAULT_CACHED_INODES, type FileSystemOptions } from './options.js'
import { ReferenceCounts } from './inodes/reference-counts.js'
import type { Ino } from './types.js'
import { Xattrs } from './xattrs/xattrs.js'

export class FileSystemState {
  readonly view: RecordView
  readonly clock: Clock
  readonly inodes: InodeStore
  readonly numbers: InodeNumbers
  readonly entries: DirectoryEntries
  readonly pages: DirectoryPages
  readonly content: Content
  readonly xattrs: Xattrs
  readonly references: ReferenceCounts

  constructor(view: RecordView, options: FileSystemOptions) {
    const { nameKey, onWarning } = options
    const hash: NameHash = options.hashName ?? ((name) => sipHash53(nameKey, name))
    this.view = view
    this.references = options.references ?? new ReferenceCounts()
    this.clock = options.clock ?? new WallClock()
    const cached = options.cachedInodes ?? DEFAULT_CACHED_INODES
    this.inodes = new InodeStore(view, cached, onWarning, options.writer, () => this.clock.sec)
    this.numbers = new InodeNumbers(view)
    this.pages = new DirectoryPages(view, onWarning)
    this.entries = new DirectoryEntries(view, hash, (directory) => this.pages.invalidate(directory), onWarning)
    this.content = new Content(view, onWarning)
    this.xattrs = new Xattrs(view, hash, onWarning)
  }

  /** The directory, to look in. Fails with NOT_A_DIRECTORY. */
  directory(ino: Ino): Inode {
    const inode = this.inodes.get(ino)
    if (!inode.isDirectory) throw new AteError('NOT_A_DIRECTORY', 'Not a directory.')
    return inode
  }

  /** The directory, to put something in. A removed one takes nothing. */
  livingDirectory(ino: Ino): Inode {
    const inode = this.directory(ino)
    if (inode.nlink === 0) throw new AteError('NO_ENTRY', 'The directory was removed.')
    return inode
  }

  /** The regular file. Fails with IS_A_DIRECTORY or INVALID. */
  file(ino: Ino): Inode {
    const inode = this.inodes.get(ino)
    if (inode.isFile) return inode
    if (inode.isDirectory) throw new AteError('IS_A_DIRECTORY', 'Is a directory.')
    throw new AteError('INVALID', 'Not a regular file.')
  }

  /** The inode, to change it. One that was deleted elsewhere can only be read. */
  changeable(ino: Ino): Inode {
    this.#demandChangeable(ino)
    return this.inodes.get(ino)
  }

  /** The regular file, to change it. As `changeable` and `file`. */
  changeableFile(ino: Ino): Inode {
    this.#demandChangeable(ino)
    return this.file(ino)
  }

  #demandChangeable(ino: Ino): void {
    const { departed } = this.inodes
    if (departed.size > 0 && departed.has(ino)) throw new AteError('STALE', 'It was deleted elsewhere.')
  }

  /** The directory's entries changed by `count`. */
  changeDirectory(directory: Inode, count: number): void {
    directory.size = Math.max(0, directory.size + count)
    directory.setModified(this.clock)
    this.inodes.markDirty(directory)
  }

  /** The inode's attributes (not its content) changed. */
  changeInode(inode: Inode): void {
    inode.setChanged(this.clock)
    this.inodes.markDirty(inode)
  }

  /** The inode has lost its last name: it goes at once or with the last reference. */
  abandon(inode: Inode): void {
    if (this.references.get(inode.ino) === 0) {
      this.destroy(inode)
      return
    }
    this.changeInode(inode)
    this.inodes.markOrphan(inode)
  }

  /** Removes an inode with all that belongs to it. */
  destroy(inode: Inode): void {
    this.content.clear(inode)
    this.xattrs.clear(inode)
    this.inodes.erase(inode)
    this.numbers.inodes--
  }
}
