/**
 * The kinds of records the file system keeps in a chain (`docs/records.md`) and what `high` and `low` of their keys mean.
 * Kinds are never reused for something else.
 */

/** high 0; low: one of the STATE_* numbers. */
export const KIND_STATE = 16
/** high: inode number / 256; low: inode number. Inodes made together are neighbours. */
export const KIND_INODE = 17
/** high: directory; low: 48-bit hash of the name. Entries whose names have one hash share the record. */
export const KIND_ENTRY = 18
/** high: file; low: offset in the file. An extent never crosses a multiple of CHUNK_BYTES. */
export const KIND_EXTENT = 19
/** high: inode; low: 48-bit hash of the attribute's name. */
export const KIND_XATTR = 20
/** high 0; low: an inode without a name that was in use at the last commit. */
export const KIND_ORPHAN = 21

/** high 0; low: a writer. What it was that it has merged last. */
export const KIND_MERGED = 22

/** The next free inode number and the number of inodes. */
export const STATE_NUMBERS = 1
/** In distributed trust: the keys that may write the file system. */
export const STATE_WRITERS = 2

/** Above them are the kinds of data objects. */
export const LAST_KIND = 31

export const MAX_LOW = Number.MAX_SAFE_INTEGER
