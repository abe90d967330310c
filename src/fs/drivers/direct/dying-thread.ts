/**
 * Whether a waiting thread is being killed. The kernel says INTERRUPT for every signal, also for those that the program
 * handles and lives on with; a read or fsync of a local file system never fails with EINTR then, and programs rely on it.
 * A deadly signal shows as a pending SIGKILL, whichever signal it was (the kernel turns it into one).
 */
import { readFileSync } from 'node:fs'

const SIGKILL_BIT = 1n << 8n

/** `pid` as in a request: a thread's id. False when it cannot be told. */
export function isDying(pid: number): boolean {
  try {
    return hasPendingKill(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** Reads proc(5)'s SigPnd and ShdPnd: hexadecimal masks of the signals pending for the thread and for the process. */
export function hasPendingKill(status: string): boolean {
  for (const match of status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]{1,32})$/gm)) {
    if ((BigInt(`0x${match[1] ?? '0'}`) & SIGKILL_BIT) !== 0n) return true
  }
  return false
}
