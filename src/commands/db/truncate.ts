import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { demandNoReplica } from '../../adapters/node/demand-no-replica.js'
import { BaseCommand } from '../../cli/base-command.js'
import { findChain } from '../../cli/chain-argument.js'
import { demandConsent } from '../../cli/consent.js'
import { logPathFlag, passphraseFlags } from '../../cli/mount-flags.js'
import { progressText, terminalProgress } from '../../cli/progress.js'
import { formatBytes } from '../../cli/status-table.js'
import { AteError } from '../../engine/error.js'

interface Emptied {
  chain: string
  /** Objects, or names of files and directories. */
  deleted: number
  freedBytes: number
}

export default class Truncate extends BaseCommand {
  static override summary = 'delete everything that a chain holds; the chain itself stays'

  static override description = `Asks before, unless --yes is given. What was deleted gives its space back as with db compact.

Objects that need a key to be deleted stay, and are told.`

  static override usage = '<%= command.id %> CHAIN [FLAGS]'

  static override args = {
    chain: Args.string({ description: "the chain's name", required: true, ignoreStdin: true }),
  }

  static override flags = {
    ...logPathFlag,
    ...passphraseFlags,
    yes: Flags.boolean({ char: 'y', summary: 'do not ask' }),
  }

  async run(): Promise<Emptied> {
    const { args, flags } = await this.parse(Truncate)
    const location = findChain(args.chain, flags['log-path'])
    const { name } = location
    await demandNoReplica(location.directory)
    if (!flags.yes) await demandConsent(`Delete everything in ${name} (${location.directory})?`)
    const [{ openForCommand }, { withContents }, { deleteFiles, deleteObjects }] = await Promise.all([
      import('../../cli/open-for-command.js'),
      import('../../cli/open-contents.js'),
      import('../../cli/truncate-chain.js'),
    ])
    const progress = terminalProgress()
    const onNotice = (text: string): void => this.note(text)
    const onDeleted = (count: number): void => progress.show(`deleting: ${count}`)
    try {
      const onProgress = (now: Parameters<typeof progressText>[0]): void => progress.show(progressText(now))
      const handle = await openForCommand(location, flags, { readOnly: false, onProgress, onNotice })
      const emptied = await withContents(handle, name, onNotice, async (contents) => {
        const done =
          contents.kind === 'files'
            ? await deleteFiles(contents.files, onDeleted)
            : await deleteObjects(contents.objects, handle.view, onDeleted)
        progress.show('compacting')
        const { freedBytes } = await handle.compact()
        return { ...done, freedBytes }
      })
      progress.clear()
      const { deleted, kept, freedBytes } = emptied
      if (kept > 0)
        throw new AteError('NOT_AUTHORIZED', `${deleted} objects are deleted; ${kept} need a key, and stay`, {
          hint: 'A program that has the key can delete them.',
        })
      const what = deleted === 0 ? 'was empty' : `is empty: ${deleted} deleted, ${formatBytes(freedBytes)} given back`
      this.log(`${name} ${what}`)
      return { chain: name, deleted, freedBytes }
    } finally {
      progress.clear()
    }
  }
}
