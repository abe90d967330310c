/** The program `atedb`: the command `atedb solo` of `atefs`, with flags before or after the word `solo`. */
import { Config } from '@oclif/core/config'
import { handle } from '@oclif/core/handle'
import { flush } from '@oclif/core/flush'
import { EXIT } from '../exit-codes.js'
import { failureLines } from '../failure.js'
import { type AtedbArguments, readAtedbArguments } from './arguments.js'
import { soloFlags } from './solo-flags.js'

const COMMAND = 'atedb:solo'
const USAGE = `USAGE
  atedb [FLAGS] solo [LOGS-PATH] [FLAGS]

COMMANDS
  solo  serves chains to clients until it is stopped
  help  says this, or more of a command: atedb help solo

FLAGS
  -h, --help     says this
  -V, --version  says the version
  All others are those of solo, and stand before or behind it.

`

/** `url`: of a module of the package. Sets the exit code. */
export async function runAtedb(words: readonly string[], url: string): Promise<void> {
  try {
    const { root, pjson } = await Config.load(url)
    const named = await Config.load({ root, pjson: { ...pjson, oclif: { ...pjson.oclif, bin: 'atedb' } } })
    await run(readAtedbArguments(words, soloFlags), named)
    await flush()
  } catch (error) {
    await handle(error instanceof Error ? error : new Error(String(error)))
  }
}

async function run(wanted: AtedbArguments, config: Config): Promise<void> {
  switch (wanted.kind) {
    case 'version':
      process.stdout.write(`atedb ${config.version}\n`)
      return
    case 'wrong':
      misused(wanted.word)
      return
    case 'help':
      if (!wanted.ofSolo) process.stdout.write(USAGE)
      else {
        const { Help } = await import('@oclif/core/help')
        await new Help(config).showCommandHelp({ ...config.findCommand(COMMAND, { must: true }), id: 'solo' })
      }
      return
    case 'solo': {
      const command = await config.findCommand(COMMAND, { must: true }).load()
      // What it says of itself is as it was called.
      command.id = 'solo'
      await command.run([...wanted.words], config)
    }
  }
}

function misused(word: string | undefined): void {
  const message = word === undefined ? 'a command is missing' : `there is no command ${word}`
  const hint = 'The command is solo: atedb --no-auth solo. atedb --help tells more.'
  process.stderr.write(failureLines({ code: 'BAD_ARGUMENT', message, hint, exitCode: EXIT.USAGE }, 'atedb'))
  process.exitCode = EXIT.USAGE
}
