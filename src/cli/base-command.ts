/**
 * What all commands share: `--json`, and the one place where a failure becomes words and an exit code. An AteError is
 * expected and prints one line and what to do about it; anything else is a defect and prints its stack.
 */
import { Command } from '@oclif/core/command'
import * as Errors from '@oclif/core/errors'
import { isAteError } from '../engine/error.js'
import { EXIT } from './exit-codes.js'
import { failureLines, failureOf, type Failure } from './failure.js'
import { isUsageError, usageLine, usageProblem, type UsageError } from './usage-error.js'

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  /** A line for the user beside the result: standard error, silent with `--json`. */
  protected note(message: string): void {
    this.logToStderr(message)
  }

  // oclif sets exit code 1 whatever the error says when --json is given: so the code is set here, in both cases.
  override async catch(error: unknown): Promise<void> {
    if (error instanceof Errors.ExitError) throw error
    const failure = isUsageError(error) ? this.#misused(error) : failureOf(error)
    if (this.jsonEnabled()) this.logJson({ error: failure })
    else process.stderr.write(failureText(failure, error, this.config.bin))
    this.exit(failure.exitCode)
  }

  #misused(error: UsageError): Failure {
    const hint = usageLine(this.config.bin, this.id ?? '', this.ctor.args)
    return { code: 'BAD_ARGUMENT', message: usageProblem(error), hint, exitCode: EXIT.USAGE }
  }
}

/** The system refused something that we did not foresee: its sentence says more than our stack. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function failureText(failure: Failure, error: unknown, program: string): string {
  if (failure.exitCode === EXIT.UNEXPECTED && !isAteError(error) && !isSystemError(error)) {
    const stack = error instanceof Error ? error.stack : undefined
    return `${program}: this is a defect of the program, please report it:\n${stack ?? failure.message}\n`
  }
  return failureLines(failure, program)
}
