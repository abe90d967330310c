/** Every kind of request: who answers it, how long it is at least, and what it may do. */
import { Errno } from '../../errno.js'
import { notImplemented, EMPTY_REPLY, type Handler, type HandlerEntry } from './handler.js'
import * as attributes from './messages/attributes.js'
import * as connection from './messages/connection.js'
import * as directories from './messages/directories.js'
import * as xattrs from './messages/extended-attributes.js'
import * as files from './messages/files.js'
import * as locks from './messages/locks.js'
import * as lookups from './messages/lookup.js'
import * as nodes from './messages/nodes.js'
import { IN_HEADER_BYTES, Opcode, OPCODE_LIMIT } from './protocol.js'

function reads(handle: Handler, argumentBytes = 0): HandlerEntry {
  return { handle, minimumBytes: IN_HEADER_BYTES + argumentBytes, changes: false }
}

function changes(handle: Handler, argumentBytes: number): HandlerEntry {
  return { handle, minimumBytes: IN_HEADER_BYTES + argumentBytes, changes: true }
}

/** A terminal check, or a file's flags: nothing here is for us, and the kernel has no way to stop asking. */
const ioctl: Handler = () => -Errno.ENOTTY

const done: Handler = () => EMPTY_REPLY

const byOpcode: Record<number, HandlerEntry> = {
  [Opcode.LOOKUP]: reads(lookups.lookup, 2),
  [Opcode.FORGET]: reads(lookups.forget, 8),
  [Opcode.GETATTR]: reads(attributes.getAttributes),
  [Opcode.SETATTR]: changes(attributes.setAttributes, 88),
  [Opcode.READLINK]: reads(nodes.readLink),
  [Opcode.SYMLINK]: changes(nodes.makeSymlink, 4),
  [Opcode.MKNOD]: changes(nodes.makeNode, 18),
  [Opcode.MKDIR]: changes(nodes.makeDirectory, 10),
  [Opcode.UNLINK]: changes(nodes.unlink, 2),
  [Opcode.RMDIR]: changes(nodes.removeDirectory, 2),
  [Opcode.RENAME]: changes(nodes.rename, 12),
  [Opcode.LINK]: changes(nodes.link, 10),
  [Opcode.OPEN]: reads(files.open, 8),
  [Opcode.READ]: reads(files.read, 40),
  [Opcode.WRITE]: changes(files.write, 40),
  [Opcode.STATFS]: reads(attributes.statistics),
  [Opcode.RELEASE]: reads(locks.release, 24),
  [Opcode.FSYNC]: reads(files.sync),
  [Opcode.SETXATTR]: changes(xattrs.setExtendedAttribute, 16),
  [Opcode.GETXATTR]: reads(xattrs.getExtendedAttribute, 10),
  [Opcode.LISTXATTR]: reads(xattrs.listExtendedAttributes, 8),
  [Opcode.REMOVEXATTR]: changes(xattrs.removeExtendedAttribute, 2),
  [Opcode.FLUSH]: reads(locks.flush, 24),
  [Opcode.INIT]: reads(connection.initialize, 16),
  [Opcode.OPENDIR]: reads(files.openDirectory, 8),
  [Opcode.READDIR]: reads(directories.readDirectory, 40),
  [Opcode.RELEASEDIR]: reads(done),
  [Opcode.FSYNCDIR]: reads(files.sync),
  [Opcode.GETLK]: reads(locks.getLock, 48),
  [Opcode.SETLK]: reads(locks.setLock, 48),
  [Opcode.SETLKW]: reads(locks.setLock, 48),
  // `default_permissions`: the kernel checks by itself.
  [Opcode.ACCESS]: reads(notImplemented),
  [Opcode.CREATE]: changes(nodes.create, 18),
  [Opcode.INTERRUPT]: reads(connection.interrupt, 8),
  [Opcode.BMAP]: reads(notImplemented),
  [Opcode.DESTROY]: reads(done),
  [Opcode.IOCTL]: reads(ioctl),
  [Opcode.POLL]: reads(notImplemented),
  [Opcode.BATCH_FORGET]: reads(lookups.batchForget, 8),
  [Opcode.FALLOCATE]: changes(files.allocate, 32),
  [Opcode.READDIRPLUS]: reads(directories.readDirectoryPlus, 40),
  [Opcode.RENAME2]: changes(nodes.renameWithFlags, 20),
  [Opcode.LSEEK]: reads(files.seek, 24),
  [Opcode.COPY_FILE_RANGE]: changes(files.copyRange, 56),
  [Opcode.SYNCFS]: reads(files.sync),
  [Opcode.TMPFILE]: changes(nodes.makeTemporary, 16),
  // Birth times would cost a message for the first stat of each file by every program of Node or Rust, which ask for them
  // and do not look.
  [Opcode.STATX]: reads(notImplemented),
}

/** Indexed by opcode. */
export const HANDLERS: readonly (HandlerEntry | undefined)[] = Array.from(
  { length: OPCODE_LIMIT },
  (_, opcode) => byOpcode[opcode],
)

/** Whose reply holds a fuse_entry_out at byte 16: the inode was retained for it. */
export const ENTRY_OPCODES: ReadonlySet<number> = new Set([
  Opcode.LOOKUP,
  Opcode.SYMLINK,
  Opcode.MKNOD,
  Opcode.MKDIR,
  Opcode.LINK,
  Opcode.CREATE,
  Opcode.TMPFILE,
])
