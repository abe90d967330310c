import { BaseCommand } from '../../cli/base-command.js'
import { standardPaths } from '../../adapters/node/standard-paths.js'
import { listChains } from '../../cli/chain-argument.js'
import { type ChainDetails, describeLocation } from '../../cli/describe-location.js'
import { failureOf } from '../../cli/failure.js'
import { logPathFlag } from '../../cli/mount-flags.js'
import { formatBytes } from '../../cli/status-table.js'

interface Unreadable {
  chain: string
  error: { code: string; message: string }
}

export default class List extends BaseCommand {
  static override summary = 'list the chains of a directory; needs no passphrase'

  static override flags = { ...logPathFlag }

  async run(): Promise<{ chains: (ChainDetails | Unreadable)[] }> {
    const { flags } = await this.parse(List)
    const { runtime } = standardPaths(process.env)
    const chains: (ChainDetails | Unreadable)[] = []
    for (const location of listChains(flags['log-path'])) {
      try {
        chains.push(await describeLocation(location, runtime))
      } catch (error) {
        const { code, message } = failureOf(error)
        chains.push({ chain: location.name, error: { code, message } })
      }
    }
    for (const chain of chains) this.log(lineOf(chain))
    if (chains.length === 0) this.log('There are no chains')
    return { chains }
  }
}

function lineOf(chain: ChainDetails | Unreadable): string {
  if ('error' in chain) return `${chain.chain}  ${chain.error.message}`
  const { mountpoint, changedMs, logBytes, headSequence, opensWith } = chain
  const where = mountpoint === undefined ? '' : `  mounted at ${mountpoint}`
  const key = opensWith === 'key-file' ? '  without passphrase' : ''
  const size = `${formatBytes(logBytes)}  ${headSequence} batches`
  return `${chain.chain}  ${size}  ${new Date(changedMs).toISOString()}${key}${where}`
}
