/** A failure in words: what is printed of it, and as what it ends the program. */
import { isNoSpace } from '../adapters/node/file-error.js'
import { isAteError } from '../engine/error.js'
import { commandHint } from './command-hint.js'
import { EXIT, exitCodeOf } from './exit-codes.js'

/** As `--json` prints it, under the key `error`. */
export interface Failure {
  code: string
  message: string
  hint?: string
  exitCode: number
}

/** For people: one line that begins with the program's name, and what to do about it. */
export function failureLines({ message, hint }: Failure, program = 'atefs'): string {
  return `${program}: ${message}\n${hint === undefined ? '' : `${hint}\n`}`
}

export function failureOf(error: unknown): Failure {
  if (isAteError(error)) {
    const { code, message } = error
    const hint = commandHint(error)
    return { code, message, ...(hint === undefined ? {} : { hint }), exitCode: exitCodeOf(code) }
  }
  if (isNoSpace(error)) return { code: 'NO_SPACE', message: 'the disk is full', exitCode: EXIT.NO_SPACE }
  return {
    code: 'UNEXPECTED',
    message: error instanceof Error ? error.message : String(error),
    exitCode: EXIT.UNEXPECTED,
  }
}
