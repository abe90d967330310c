import { join, resolve } from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { examineChainDirectory } from '../../adapters/node/chain-presence.js'
import { demandNoReplica } from '../../adapters/node/demand-no-replica.js'
import type { RestoreReport } from '../../adapters/node/restore-chain.js'
import { standardPaths } from '../../adapters/node/standard-paths.js'
import { BaseCommand } from '../../cli/base-command.js'
import { demandLocal } from '../../cli/chain-argument.js'
import { logPathFlag, passphraseFlags } from '../../cli/mount-flags.js'
import { readSecret, wipeSecret } from '../../cli/passphrase.js'
import { progressText, terminalProgress } from '../../cli/progress.js'
import { formatBytes } from '../../cli/status-table.js'
import { checkChainName } from '../../engine/chain/chain-name.js'
import { AteError } from '../../engine/error.js'

interface Restored extends RestoreReport {
  chain: string
  directory: string
}

export default class Restore extends BaseCommand {
  static override summary = 'make a chain of a backup; never puts an older one in the place of a newer one by itself'

  static override description =
    'The backup is verified first. A chain that is there already is replaced with --force only, and kept beside it.'

  static override usage = '<%= command.id %> DIRECTORY CHAIN [FLAGS]'

  static override examples = ['<%= config.bin %> <%= command.id %> /backup/vault vault']

  static override args = {
    directory: Args.string({ description: 'of the backup', required: true, ignoreStdin: true }),
    chain: Args.string({ description: "the chain's name", required: true, ignoreStdin: true }),
  }

  static override flags = {
    ...logPathFlag,
    ...passphraseFlags,
    force: Flags.boolean({ summary: 'replace the chain that is there; it is kept beside it under another name' }),
    'accept-rollback': Flags.boolean({ summary: 'take a backup that ends before what was known durable here' }),
  }

  async run(): Promise<Restored> {
    const { args, flags } = await this.parse(Restore)
    demandLocal(args.chain)
    const paths = standardPaths(process.env)
    const directory = join(resolve(flags['log-path'] ?? paths.chains), checkChainName(args.chain))
    await demandNoReplica(directory)
    const backup = resolve(args.directory)
    const presence = backupPresence(backup, directory)
    const secret = await readSecret(presence, flags, args.chain)
    const { restoreDirectory } = await import('../../adapters/node/restore-chain.js')
    const progress = terminalProgress()
    try {
      const report = await restoreDirectory(
        { backup, directory, secret, anchorDirectory: paths.anchors },
        {
          force: flags.force,
          acceptRollback: flags['accept-rollback'],
          onProgress: (now) => progress.show(progressText(now)),
        },
      )
      progress.clear()
      const { sequence, bytes, keptAside } = report
      this.log(`Restored ${args.chain} to ${directory}: ${sequence} batches, ${formatBytes(bytes)}`)
      if (keptAside !== undefined) this.log(`The chain that was there is kept in ${keptAside}`)
      return { chain: args.chain, directory, ...report }
    } finally {
      wipeSecret(secret)
      progress.clear()
    }
  }
}

/** What opens the backup. One without a key is opened with that of the chain that is there. */
function backupPresence(backup: string, directory: string): 'passphrase' | 'key-file' {
  const presence = examineChainDirectory(backup)
  if (presence === 'absent')
    throw new AteError('CHAIN_NOT_FOUND', `there is no backup in ${backup}`, { hint: 'Give its directory first.' })
  const there = presence === 'key-file' ? presence : examineChainDirectory(directory)
  return there === 'key-file' ? there : presence
}
