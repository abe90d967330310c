import * as Args from '@oclif/core/args'
import { demandNoReplica } from '../../adapters/node/demand-no-replica.js'
import { BaseCommand } from '../../cli/base-command.js'
import { type ChainLocation, findChain } from '../../cli/chain-argument.js'
import { logSize } from '../../cli/describe-location.js'
import { logPathFlag, passphraseFlags, serverFlags } from '../../cli/mount-flags.js'
import type { CommandOpening } from '../../cli/open-for-command.js'
import type { ServedFlags } from '../../cli/open-served.js'
import type { PassphraseSources } from '../../cli/passphrase.js'
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

  static override description = `A mount compacts by itself, and at once with atefs mount --compact-now.

Of a chain at a server its copy here is brought up to date first; the server gives the space back too.`

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override args = {
    chain: Args.string({
      description: "the chain's name, or its URL at a server (default: the only one there is)",
      ignoreStdin: true,
    }),
  }

  static override flags = { ...logPathFlag, ...passphraseFlags, ...serverFlags }

  async run(): Promise<Compacted> {
    const { args, flags } = await this.parse(Compact)
    const progress = terminalProgress()
    const onNotice = (text: string): void => this.note(text)
    const onProgress = (now: Parameters<typeof progressText>[0]): void => progress.show(progressText(now))
    const opening = { readOnly: false, onProgress, onNotice }
    try {
      const compacting = (): void => progress.show('compacting')
      const compacted =
        args.chain?.includes('://') === true
          ? await compactServed(args.chain, flags, opening)
          : await compactHere(findChain(args.chain, flags['log-path']), flags, opening, compacting)
      progress.clear()
      const { chain, bodies, freedBytes, diskBytesBefore, diskBytesAfter, deferred } = compacted
      const change = `${formatBytes(diskBytesBefore)} before, ${formatBytes(diskBytesAfter)} now`
      this.log(`${chain}: ${bodies} bodies dropped, ${formatBytes(freedBytes)} given back (${change})`)
      if (deferred) onNotice('Some of what is dead was left: compact again later.')
      return compacted
    } finally {
      progress.clear()
    }
  }
}

async function compactHere(
  location: ChainLocation,
  flags: PassphraseSources,
  opening: CommandOpening,
  compacting: () => void,
): Promise<Compacted> {
  const { name, directory } = location
  await demandNoReplica(directory)
  const [{ openForCommand }, { withContents }] = await Promise.all([
    import('../../cli/open-for-command.js'),
    import('../../cli/open-contents.js'),
  ])
  const handle = await openForCommand(location, flags, opening)
  // Opening has made room for a new segment.
  const diskBytesBefore = logSize(directory).diskBytes
  compacting()
  const { bodies, freedBytes, isDeferred } = await withContents(handle, name, opening.onNotice, () => handle.compact())
  const diskBytesAfter = logSize(directory).diskBytes
  return { chain: name, bodies, freedBytes, diskBytesBefore, diskBytesAfter, deferred: isDeferred }
}

async function compactServed(url: string, flags: ServedFlags, opening: CommandOpening): Promise<Compacted> {
  const { compactServed: compact } = await import('../../cli/compact-served.js')
  const { name, bodies, freedBytes, diskBytesBefore, diskBytesAfter, isDeferred } = await compact(url, flags, opening)
  return { chain: name, bodies, freedBytes, diskBytesBefore, diskBytesAfter, deferred: isDeferred }
}
