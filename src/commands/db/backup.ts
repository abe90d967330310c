import { resolve } from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { BaseCommand } from '../../cli/base-command.js'
import type { ChainLocation } from '../../cli/chain-argument.js'
import { logPathFlag, passphraseFlags, serverFlags } from '../../cli/mount-flags.js'
import { progressText, terminalProgress } from '../../cli/progress.js'
import { formatBytes } from '../../cli/status-table.js'
import { AteError } from '../../engine/error.js'
import type { BackupReport } from '../../engine/chain/chain-keeping.js'

interface BackedUp extends BackupReport {
  chain: string
  directory: string
}

export default class Backup extends BaseCommand {
  static override summary = 'copy a chain to a directory: what is new, when a backup of it lies there already'

  static override description =
    'What is copied is sealed as it is, and read again to verify it. When it fails, the backup before is as it was.'

  static override usage = '<%= command.id %> CHAIN DIRECTORY [FLAGS]'

  static override examples = ['<%= config.bin %> <%= command.id %> vault /backup/vault']

  static override args = {
    chain: Args.string({ description: "the chain's name, or its URL at a server", required: true, ignoreStdin: true }),
    directory: Args.string({ description: 'of the backup; made if absent', required: true, ignoreStdin: true }),
  }

  static override flags = {
    ...logPathFlag,
    ...passphraseFlags,
    ...serverFlags,
    quick: Flags.boolean({ summary: 'do not read again what earlier backups copied' }),
    'with-key': Flags.boolean({
      summary: 'of a chain without passphrase: copy its key too; who has the backup can read it',
      exclusive: ['without-key'],
    }),
    'without-key': Flags.boolean({
      summary: 'of a chain without passphrase: do not copy its key; without it the backup cannot be opened',
    }),
  }

  async run(): Promise<BackedUp> {
    const { args, flags } = await this.parse(Backup)
    const directory = resolve(args.directory)
    const withKey = flags['with-key'] ? true : flags['without-key'] ? false : undefined
    const { openNamed } = await import('../../cli/open-named.js')
    const progress = terminalProgress()
    const onProgress = (now: Parameters<typeof progressText>[0]): void => progress.show(progressText(now))
    try {
      const onNotice = (text: string): void => this.note(text)
      const { location, handle, close } = await openNamed(args.chain, flags, { readOnly: false, onProgress, onNotice })
      let report: BackupReport
      try {
        demandKeyWord(location, withKey)
        report = await handle.backup(directory, { quick: flags.quick, withKey, onProgress })
      } finally {
        await close()
      }
      progress.clear()
      const { sequence, bytes, copiedBytes } = report
      const size = `${formatBytes(bytes)}, of which ${formatBytes(copiedBytes)} are new`
      this.log(`Backed up ${location.name} to ${directory}: ${sequence} batches, ${size}`)
      return { chain: location.name, directory, ...report }
    } finally {
      progress.clear()
    }
  }
}

function demandKeyWord({ name, presence }: ChainLocation, withKey: boolean | undefined): void {
  if (presence !== 'key-file' || withKey !== undefined) return
  throw new AteError('BAD_ARGUMENT', `${name} has no passphrase: with its key, whoever has the backup can read it`, {
    hint: 'Say --with-key to copy the key, or --without-key to keep it elsewhere: without it the backup cannot be opened.',
  })
}
