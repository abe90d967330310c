/** Whether a server can spend memory where that saves time. */
import { DEFAULT_LIMITS } from '../server/options.js'

/** When all that a server may hold grows to four times as much before it is collected, a half of the memory is left for others. */
const AMPLE_BYTES = 8 * (DEFAULT_LIMITS.heldBytes + DEFAULT_LIMITS.unsentBytes)

/** Of the machine, and what this process may have of it (0: all). */
export function isMemoryAmple(totalBytes: number, constrainedBytes: number): boolean {
  return totalBytes >= AMPLE_BYTES && (constrainedBytes === 0 || constrainedBytes >= AMPLE_BYTES)
}
