/**
 * Reads the TAP of a process as it comes: shows every failure with its diagnostics, and what was skipped, and keeps the counts
 * of tap's closing line. What is shown is headed by the file that it is of, where several share the process. tap's own
 * reporters draw for a terminal, or show everything.
 */

/** Of the comments that tell which file comes now. */
export const FILE_COMMENT = 'tests of '

/** @param {(line: string) => void} tell */
export function createTapFilter(tell) {
  let inDiagnostics = false
  let summary = ''
  let heading = ''
  let file = ''
  /** @param {string} line */
  const show = (line) => {
    if (heading !== '') tell(heading)
    heading = ''
    tell(line)
  }
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
      if (line.startsWith(`# ${FILE_COMMENT}`)) {
        heading = line
        file = line.slice(`# ${FILE_COMMENT}`.length)
      }
      summary = /^# \{ (total: .*) \}$/.exec(line)?.[1] ?? summary
    },
    /** The last that was told. */
    file: () => file,
    counts() {
      const count = (/** @type {string} */ name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
      return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
    },
  }
}
