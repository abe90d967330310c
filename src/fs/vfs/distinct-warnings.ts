/** Each warning once: a damaged file that a program reads in a loop must not fill the log. */
const MAX_WARNINGS = 1000

/** Passes on every message the first time, up to a thousand different ones. */
export function distinctWarnings(onWarning: (message: string) => void): (message: string) => void {
  const known = new Set<string>()
  return (message) => {
    if (known.has(message) || known.size > MAX_WARNINGS) return
    known.add(message)
    onWarning(known.size <= MAX_WARNINGS ? message : 'There are more warnings of the file system than are shown.')
  }
}
