/**
 * POSIX access control lists (POSIX.1e draft 17, acl(5)) in the form of the system.posix_acl_* attributes: version 2 (u32),
 * then entries {tag u16, permissions u16, id u32}. The kernel evaluates them; what it leaves to the file system is here:
 * inheritance from a directory's default list, and keeping list and mode bits the same.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'
import { AteError } from '../../../engine/error.js'

const VERSION = 2
const USER_OBJ = 0x01
const USER = 0x02
const GROUP_OBJ = 0x04
const GROUP = 0x08
const MASK = 0x10
const OTHER = 0x20
const ENTRY_BYTES = 8
const HEADER_BYTES = 4

export const ACCESS_ACL = 'system.posix_acl_access'
export const DEFAULT_ACL = 'system.posix_acl_default'

export interface AclEntry {
  tag: number
  permissions: number
  id: number
}

export type Acl = readonly AclEntry[]

/** Throws INVALID unless it is a list as acl_valid(3) wants it, in canonical order. */
export function parseAcl(bytes: Uint8Array): Acl {
  const invalid = (): AteError => new AteError('INVALID', 'Not a valid access control list.')
  if (bytes.length <= HEADER_BYTES || (bytes.length - HEADER_BYTES) % ENTRY_BYTES !== 0) throw invalid()
  const reader = new ByteReader(bytes, 'access control list')
  if (reader.u32('version') !== VERSION) throw invalid()
  const entries: AclEntry[] = []
  while (reader.remaining > 0) {
    entries.push({ tag: reader.u16('tag'), permissions: reader.u16('permissions'), id: reader.u32('id') })
  }
  if (!isValid(entries)) throw invalid()
  return entries
}

export function encodeAcl(acl: Acl): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES + acl.length * ENTRY_BYTES)
  writer.u32(VERSION)
  for (const { tag, permissions, id } of acl) writer.u16(tag).u16(permissions).u32(id)
  return writer.copy()
}

/** The list says no more than nine mode bits do. */
export function isMinimal(acl: Acl): boolean {
  return acl.every(({ tag }) => tag === USER_OBJ || tag === GROUP_OBJ || tag === OTHER)
}

/** The permission bits that belong to the list: the group's are the mask's when there is one. */
export function permissionsOf(acl: Acl): number {
  return (permissions(acl, USER_OBJ) << 6) | (permissions(acl, groupClass(acl)) << 3) | permissions(acl, OTHER)
}

/** The list after chmod(2): owner, mask (or group) and others follow the mode. */
export function withMode(acl: Acl, mode: number): Acl {
  const group = groupClass(acl)
  return acl.map((entry) => {
    if (entry.tag === USER_OBJ) return { ...entry, permissions: (mode >> 6) & 7 }
    if (entry.tag === group) return { ...entry, permissions: (mode >> 3) & 7 }
    if (entry.tag === OTHER) return { ...entry, permissions: mode & 7 }
    return entry
  })
}

/** The access list of a file made with `mode` below a directory with this default list: what both allow. */
export function inherited(defaults: Acl, mode: number): Acl {
  return withMode(defaults, mode & permissionsOf(defaults))
}

function groupClass(acl: Acl): number {
  return acl.some(({ tag }) => tag === MASK) ? MASK : GROUP_OBJ
}

function permissions(acl: Acl, tag: number): number {
  return acl.find((entry) => entry.tag === tag)?.permissions ?? 0
}

/** Order of tags, each at most once but USER and GROUP; a mask where either of those is. */
function isValid(acl: Acl): boolean {
  let last = 0
  let lastId = -1
  let named = false
  let seen = 0
  for (const { tag, permissions: bits, id } of acl) {
    const isNamed = tag === USER || tag === GROUP
    if (![USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER].includes(tag) || bits > 7) return false
    if (tag < last || (tag === last && !isNamed)) return false
    if (isNamed && tag === last && id <= lastId) return false
    last = tag
    lastId = id
    named ||= isNamed
    seen |= tag
  }
  const base = USER_OBJ | GROUP_OBJ | OTHER
  return (seen & base) === base && (!named || (seen & MASK) !== 0)
}
