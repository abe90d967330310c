import * as Args from '@oclif/core/args'
import { demandNoReplica } from '../../adapters/node/demand-no-replica.js'
import { BaseCommand } from '../../cli/base-command.js'
import { findChain } from '../../cli/chain-argument.js'
import { logSize } from '../../cli/describe-location.js'
import { logPathFlag, passphraseFlags } from '../../cli/mount-flags.js'
import { progressText, terminalProgress } from '../../cli/progress.js'
import { formatBytes } from '../../cli/status-table.js'

interface Compacted {
  chain: string
  /** Bodies dropped. */
  bodies: number
  freedBytes: number
  /** What the log takes on the disk. */
  diskBytesBefore: number
  diskBytesAfter: number
  /** Something was left for the next time. */
  deferred: boolean
}

export default class Compact extends BaseCommand {
  static override summary = 'give the space of deleted content back to the disk, of a chain that is not mounted'

  static override description = 'A mount compacts by itself, and at once with atefs mount --compact-now.'

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override args = {
    chain: Args.string({ description: "the chain's name (default: the only one there is)", ignoreStdin: true }),
  }

  static override flags = { ...logPathFlag, ...passphraseFlags }

  async run(): Promise<Compacted> {
    const { args, flags } = await this.parse(Compact)
    const location = findChain(args.chain, flags['log-path'])
    const { name, directory } = location
    await demandNoReplica(directory)
    const [{ openForCommand }, { withContents }] = await Promise.all([
      import('../../cli/open-for-command.js'),
      import('../../cli/open-contents.js'),
    ])
    const progress = terminalProgress()
    const onNotice = (text: string): void => this.note(text)
    try {
      const onProgress = (now: Parameters<typeof progressText>[0]): void => progress.show(progressText(now))
      const handle = await openForCommand(location, flags, { readOnly: false, onProgress, onNotice })
      // Opening has made room for a new segment.
      const diskBytesBefore = logSize(directory).diskBytes
      progress.show('compacting')
      const { bodies, freedBytes, isDeferred } = await withContents(handle, name, onNotice, () => handle.compact())
      const diskBytesAfter = logSize(directory).diskBytes
      progress.clear()
      const change = `${formatBytes(diskBytesBefore)} before, ${formatBytes(diskBytesAfter)} now`
      this.log(`${name}: ${bodies} bodies dropped, ${formatBytes(freedBytes)} given back (${change})`)
      if (isDeferred) onNotice('Some of what is dead was left: compact again later.')
      return { chain: name, bodies, freedBytes, diskBytesBefore, diskBytesAfter, deferred: isDeferred }
    } finally {
      progress.clear()
    }
  }
}
