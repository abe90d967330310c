/** File type and permission bits of st_mode (inode(7)); the types are the same numbers everywhere on Linux. */
export const S_IFMT = 0o170000
export const S_IFIFO = 0o010000
export const S_IFCHR = 0o020000
export const S_IFDIR = 0o040000
export const S_IFBLK = 0o060000
export const S_IFREG = 0o100000
export const S_IFLNK = 0o120000
export const S_IFSOCK = 0o140000

export const S_ISUID = 0o4000
export const S_ISGID = 0o2000
export const S_IXGRP = 0o0010
/** Everything chmod(2) can set. */
export const PERMISSION_BITS = 0o7777

const KNOWN_TYPES: ReadonlySet<number> = new Set([S_IFIFO, S_IFCHR, S_IFDIR, S_IFBLK, S_IFREG, S_IFLNK, S_IFSOCK])

/** Whether the type bits name a type; all other bits must be permission bits. */
export function isMode(mode: number): boolean {
  return KNOWN_TYPES.has(mode & S_IFMT) && (mode & ~(S_IFMT | PERMISSION_BITS)) === 0
}

/** Type as directory entries carry it (DT_* of readdir(3)). */
export function entryType(mode: number): number {
  return (mode & S_IFMT) >>> 12
}

export function isEntryType(type: number): boolean {
  return KNOWN_TYPES.has(type << 12)
}

/**
 * What a write, truncation or change of owner leaves of the mode (chown(2), write(2)): no setuid, and no setgid where the
 * group may execute (otherwise the bit once meant mandatory locking and stays).
 */
export function withoutPrivileges(mode: number): number {
  if ((mode & S_IFMT) === S_IFDIR) return mode
  const kept = (mode & S_IXGRP) !== 0 ? mode & ~S_ISGID : mode
  return kept & ~S_ISUID
}
