import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { BaseCommand } from '../cli/base-command.js'
import { JsonOutput, TextOutput } from '../cli/dump/output.js'
import { failureOf } from '../cli/failure.js'
import { logPathFlag, passphraseFlags, serverFlags } from '../cli/mount-flags.js'
import { progressText, terminalProgress } from '../cli/progress.js'

export default class Dump extends BaseCommand {
  static override summary = 'show what a chain holds as a tree, and its batches; opens no content and prints no key'

  static override description = `A chain of objects: each with its key, type, version and rules, below its parent. A chain of files: paths with modes, sizes and inodes.

With --batches the history too: when each batch was written, what it changed and, in distributed trust, which keys signed it.`

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override examples = ['<%= config.bin %> <%= command.id %> vault --batches']

  static override args = {
    chain: Args.string({
      description: "the chain's name, or its URL at a server (default: the only one there is)",
      ignoreStdin: true,
    }),
  }

  static override flags = {
    ...logPathFlag,
    ...passphraseFlags,
    ...serverFlags,
    batches: Flags.boolean({ summary: 'list the batches of the log too, and the public keys that signed them' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Dump)
    const [{ openNamed }, { dumpChain }] = await Promise.all([
      import('../cli/open-named.js'),
      import('../cli/dump/dump-chain.js'),
    ])
    const progress = terminalProgress()
    const { location, handle, close } = await openNamed(args.chain, flags, {
      readOnly: true,
      onProgress: (now) => progress.show(progressText(now)),
      onNotice: (text) => this.note(text),
    }).finally(() => progress.clear())
    const output = this.jsonEnabled() ? new JsonOutput() : new TextOutput((text) => this.log(text))
    try {
      await dumpChain(handle, location, flags.batches, output)
      output.end()
    } catch (error) {
      // The document has begun: what went wrong is a part of it.
      if (output instanceof TextOutput) throw error
      const failure = failureOf(error)
      output.field('error', failure)
      output.end()
      this.exit(failure.exitCode)
    } finally {
      output.progress.clear()
      await close()
    }
  }
}
