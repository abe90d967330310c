/** What oclif says of a command line that it does not understand, as one sentence and the usage of the command. */
import { stripVTControlCharacters } from 'node:util'
import type { Command } from '@oclif/core'
import * as Errors from '@oclif/core/errors'
import { EXIT } from './exit-codes.js'

export interface UsageError extends Error {
  oclif: { exit?: number }
}

/** oclif's own complaints about the command line carry exit code 2. */
export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Errors.CLIError && error.oclif.exit === EXIT.USAGE
}

/** Without oclif's advice, which is the same whatever is wrong. */
export function usageProblem(error: UsageError): string {
  const missing = missingArguments(error)
  if (missing.length > 0) return `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`
  const [said = ''] = stripVTControlCharacters(error.message).split('\nSee more help')
  const sentence = said.replace(/^The following errors? occurred:\s*/, '').replace(/\s*\n\s*/g, '; ')
  return sentence.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())
}

/** `Usage: atefs mount MOUNTPOINT [CHAIN] [FLAGS]`, and where there is more. */
export function usageLine(bin: string, commandId: string, args: Command.Class['args']): string {
  const id = commandId.replaceAll(':', ' ')
  const names = Object.entries(args).map(([name, { required }]) => argumentName(name, required === true))
  return `Usage: ${[bin, id, ...names, '[FLAGS]'].join(' ')} (all flags: ${bin} ${id} --help)`
}

function argumentName(name: string, isRequired: boolean): string {
  return isRequired ? name.toUpperCase() : `[${name.toUpperCase()}]`
}

/** oclif does not export the class of this one: it is known by the arguments that it lists. */
function missingArguments(error: UsageError): string[] {
  if (!('args' in error) || !Array.isArray(error.args)) return []
  return error.args.flatMap((arg: unknown) =>
    typeof arg === 'object' && arg !== null && 'name' in arg ? [String(arg.name).toUpperCase()] : [],
  )
}
