/**
 * The connection itself.
 *
 *     INIT       40 u32 major, 44 u32 minor, 48 u32 max_readahead, 52 u32 flags, 56 u32 flags2
 *       -> 16 u32 major, 20 u32 minor, 24 u32 max_readahead, 28 u32 flags, 32 u16 max_background,
 *          34 u16 congestion_threshold, 36 u32 max_write, 40 u32 time_gran, 44 u16 max_pages, 46 u16 map_alignment,
 *          48 u32 flags2, 52 unused
 *     INTERRUPT  40 u64 unique                            -> nothing
 *
 * What older kernels lack, and what follows: SETXATTR_EXT (5.13) the setgid bit stays when an ACL takes the group's
 * rights away; HANDLE_KILLPRIV_V2 (5.12) a SETATTR of the mode before a write to a setuid file; TMPFILE (6.1) no O_TMPFILE.
 */
import { Errno } from '../../../errno.js'
import type { Exchange } from '../exchange.js'
import { NO_REPLY, type Handler } from '../handler.js'
import {
  InitFlag,
  LOWEST_PROTOCOL_MINOR,
  MAX_IO_BYTES,
  MAX_IO_PAGES,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
} from '../protocol.js'

/**
 * Never WRITEBACK_CACHE: it reorders writes and delays them by 30 s. Never ATOMIC_O_TRUNC: without OPEN messages the
 * truncation would be lost. Without POSIX_LOCKS and FLOCK_LOCKS the kernel keeps the locks itself.
 */
const WANTED_FLAGS =
  InitFlag.ASYNC_READ |
  InitFlag.EXPORT_SUPPORT |
  InitFlag.BIG_WRITES |
  InitFlag.DONT_MASK |
  InitFlag.DO_READDIRPLUS |
  InitFlag.READDIRPLUS_AUTO |
  InitFlag.ASYNC_DIO |
  InitFlag.NO_OPEN_SUPPORT |
  InitFlag.PARALLEL_DIROPS |
  InitFlag.POSIX_ACL |
  InitFlag.MAX_PAGES |
  InitFlag.CACHE_SYMLINKS |
  InitFlag.NO_OPENDIR_SUPPORT |
  InitFlag.EXPLICIT_INVAL_DATA |
  InitFlag.HANDLE_KILLPRIV_V2 |
  InitFlag.SETXATTR_EXT

/** Where locks hold beyond this machine. They are released by FLUSH and RELEASE, so OPEN must be answered. */
const LOCK_FLAGS = InitFlag.POSIX_LOCKS | InitFlag.FLOCK_LOCKS

/** Requests that nobody waits for (read-ahead, O_DIRECT) under way at once; the kernel's default is 12. */
const MAX_BACKGROUND = 64
/** From here on the kernel holds read-ahead back. */
const CONGESTION_THRESHOLD = 48

export const initialize: Handler = (session, x) => {
  const major = x.u32(40)
  const minor = x.u32(44)
  if (major < PROTOCOL_MAJOR || (major === PROTOCOL_MAJOR && minor < LOWEST_PROTOCOL_MINOR)) {
    session.refuseKernel(`${major}.${minor}`)
    return -Errno.EPROTO
  }
  const flags = x.u32(52) & (session.locks === undefined ? WANTED_FLAGS : WANTED_FLAGS | LOCK_FLAGS)
  x.clear(16, 80)
  x.setU32(16, PROTOCOL_MAJOR)
  x.setU32(20, PROTOCOL_MINOR)
  // A newer major: the kernel reads no further, and sends an INIT of ours.
  if (major > PROTOCOL_MAJOR) return 80
  x.setU32(24, MAX_IO_BYTES)
  x.setU32(28, flags)
  x.setU16(32, MAX_BACKGROUND)
  x.setU16(34, CONGESTION_THRESHOLD)
  x.setU32(36, MAX_IO_BYTES)
  x.setU32(40, 1)
  x.setU16(44, MAX_IO_PAGES)
  session.initialized(flags, major > PROTOCOL_MAJOR ? PROTOCOL_MINOR : minor)
  return 80
}

export const interrupt: Handler = (session, x: Exchange) => {
  session.interrupt(x.u64(40))
  return NO_REPLY
}
