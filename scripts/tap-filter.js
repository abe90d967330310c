/**
 * Reads the TAP of a process as it comes: shows every failure with its diagnostics, and what was skipped, and keeps the counts
 * of tap's closing line. tap's own reporters draw for a terminal, or show everything.
 */

/** @param {(line: string) => void} show */
export function createTapFilter(show) {
  let inDiagnostics = false
  let summary = ''
  return {
    /** @param {string} line */
    line(line) {
      if (inDiagnostics) {
        show(line)
        if (/^\s*\.\.\.$/.test(line)) inDiagnostics = false
      } else if (/^\s*not ok /.test(line) && !/ # (TODO|SKIP)/i.test(line)) {
        show(line)
      } else if (/^\s*---$/.test(line)) {
        inDiagnostics = true
      } else if (/^\s*Bail out!/.test(line) || / # SKIP/i.test(line)) {
        show(line)
      }
      summary = /^# \{ (total: .*) \}$/.exec(line)?.[1] ?? summary
    },
    counts() {
      const count = (/** @type {string} */ name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
      return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
    },
  }
}
