/** A failure in words: what is printed of it, and as what it ends the program. */

/** As `--json` prints it, under the key `error`. */
export interface Failure {
  code: string
  message: string
  hint?: string
  exitCode: number
}

/** For people: one line, and what to do about it. */
export function failureLines({ message, hint }: Failure): string {
  return `atefs: ${message}\n${hint === undefined ? '' : `${hint}\n`}`
}
