/** oclif calls this for a command that does not exist: it says so as every other failure is told. */
import type { Hook } from '@oclif/core'
import * as ux from '@oclif/core/ux'
import { EXIT } from './exit-codes.js'
import { failureLines, type Failure } from './failure.js'

const tellUnknownCommand: Hook.CommandNotFound = async function ({ id, argv, config }) {
  // Words that follow come joined to it: they may be arguments.
  const [word = ''] = id.split(':')
  const isFlag = word.startsWith('-')
  const failure: Failure = {
    code: 'BAD_ARGUMENT',
    message: isFlag ? 'a command is missing' : `there is no command ${word}`,
    hint: `The commands are ${config.commandIDs.join(', ').replaceAll(':', ' ')}: ${config.bin} --help tells more.`,
    exitCode: EXIT.USAGE,
  }
  if ([id, ...(argv ?? [])].includes('--json')) ux.stdout(JSON.stringify({ error: failure }, undefined, 2))
  else process.stderr.write(failureLines(failure))
  this.exit(failure.exitCode)
}

export default tellUnknownCommand
