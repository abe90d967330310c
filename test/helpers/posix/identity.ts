/**
 * Acting as another user on the calling thread only: the file-system uid and gid (setfsuid(2)) and the supplementary
 * groups by the kernel's own call. Leaving uid 0 also drops the capabilities that concern files; coming back restores
 * them. Needs root.
 */
import { libc } from './libc.js'
import { SYS_getgroups, SYS_setgroups } from './constants.js'
import type { Identity } from './client.js'

const ownGroups = new Uint32Array(256)
const ownGroupCount = libc.syscall(SYS_getgroups, ownGroups.length, new Uint8Array(ownGroups.buffer))

export const isRoot = process.getuid?.() === 0

/** Runs `call` as `identity`, synchronously. */
export function actingAs<T>(identity: Identity | undefined, call: () => T): T {
  if (identity === undefined) return call()
  const uid = process.geteuid?.() ?? 0
  const gid = process.getegid?.() ?? 0
  setGroups(Uint32Array.from(identity.groups ?? []))
  libc.setfsgid(identity.gid)
  libc.setfsuid(identity.uid)
  try {
    return call()
  } finally {
    libc.setfsuid(uid)
    libc.setfsgid(gid)
    setGroups(ownGroups.subarray(0, ownGroupCount))
  }
}

function setGroups(groups: Uint32Array): void {
  const bytes = new Uint8Array(groups.buffer, groups.byteOffset, groups.byteLength)
  if (libc.syscall(SYS_setgroups, groups.length, bytes) < 0) throw new Error('acting as another user needs root')
}
