/**
 * Listings.
 *
 *     READDIR, READDIRPLUS  40 u64 fh, 48 u64 offset (the cookie of the last entry seen), 56 u32 size
 *       -> as many as fit in `size`, each padded to 8 bytes:
 *     fuse_dirent      0 u64 ino, 8 u64 off (its cookie), 16 u32 namelen, 20 u32 type, 24 name
 *     fuse_direntplus  0 fuse_entry_out, 128 fuse_dirent
 *
 * Each entry of READDIRPLUS counts as a lookup, but not '.' and '..', whose node id is 0.
 */
import type { Attributes, Name } from '../../../vfs/types.js'
import { writeEntry } from '../attribute-layout.js'
import { malformed, type Exchange } from '../exchange.js'
import { EMPTY_REPLY, type Handler, type Result } from '../handler.js'
import { DIRENT_HEADER_BYTES, ENTRY_BYTES, MAX_IO_BYTES, OUT_HEADER_BYTES } from '../protocol.js'
import type { Session } from '../session.js'

export const readDirectory: Handler = (session, x) => list(session, x, new Listing(session, x, false))

export const readDirectoryPlus: Handler = (session, x) => list(session, x, new Listing(session, x, true))

function list(session: Session, x: Exchange, listing: Listing): Result | Promise<Result> {
  const cookie = x.u64(48)
  if (cookie > Number.MAX_SAFE_INTEGER) return EMPTY_REPLY
  const sink = listing.add.bind(listing)
  try {
    const listed = session.fileSystem.readDirectory(x.nodeId, cookie, sink)
    if (!(listed instanceof Promise)) return listing.end
    return listed.then(
      () => listing.end,
      (error: unknown) => listing.fail(error),
    )
  } catch (error) {
    return listing.fail(error)
  }
}

/** A reply that entries are added to. */
class Listing {
  readonly #session: Session
  readonly #x: Exchange
  readonly #plus: boolean
  readonly #limit: number
  end = OUT_HEADER_BYTES

  constructor(session: Session, x: Exchange, plus: boolean) {
    const size = x.u32(56)
    if (size > MAX_IO_BYTES) throw malformed('a listing of more than was agreed')
    this.#session = session
    this.#x = x
    this.#plus = plus
    this.#limit = OUT_HEADER_BYTES + size
  }

  add(name: Name, ino: number, type: number, cookie: number): boolean {
    const x = this.#x
    const dirent = this.#plus ? this.end + ENTRY_BYTES : this.end
    const nameStart = dirent + DIRENT_HEADER_BYTES
    const end = (nameStart + name.length + 7) & ~7
    if (end > this.#limit) return false
    if (this.#plus) this.#writeEntry(name, ino)
    x.setU64(dirent, ino)
    x.setU64(dirent + 8, cookie)
    x.setU32(dirent + 16, name.length)
    x.setU32(dirent + 20, type)
    x.bytes.write(name, nameStart, 'latin1')
    x.clear(nameStart + name.length, end)
    this.end = end
    return true
  }

  /** Node id 0 tells the kernel that there are no attributes here; it lists the name, and looks it up when asked. */
  #writeEntry(name: Name, ino: number): void {
    const attributes = isDot(name) ? undefined : attributesAtOnce(this.#session, ino)
    if (attributes === undefined) this.#x.clear(this.end, this.end + ENTRY_BYTES)
    else writeEntry(this.#session, this.#x, this.end, attributes)
  }

  /** The kernel will see none of the entries. */
  fail(error: unknown): never {
    if (this.#plus) releaseListed(this.#session, this.#x, this.end)
    throw error
  }
}

function isDot(name: string): boolean {
  return name === '.' || name === '..'
}

/** One unreadable inode must not hide the names beside it: its own stat(2) will say what is wrong. */
function attributesAtOnce(session: Session, ino: number): Attributes | undefined {
  try {
    const attributes = session.fileSystem.getAttributes(ino)
    return attributes instanceof Promise ? undefined : attributes
  } catch {
    return undefined
  }
}

/** Undoes the references of the READDIRPLUS reply in [16, end), which did not reach the kernel. */
export function releaseListed(session: Session, x: Exchange, end: number): void {
  let at = OUT_HEADER_BYTES
  while (at < end) {
    const nodeId = x.u64(at)
    if (nodeId !== 0) session.fileSystem.release(nodeId, 1)
    at = (at + ENTRY_BYTES + DIRENT_HEADER_BYTES + x.u32(at + ENTRY_BYTES + 16) + 7) & ~7
  }
}
