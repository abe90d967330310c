import * as Args from '@oclif/core/args'
import { BaseCommand } from '../../cli/base-command.js'
import { standardPaths } from '../../adapters/node/standard-paths.js'
import { listChains } from '../../cli/chain-argument.js'
import { type ChainDetails, describeLocation } from '../../cli/describe-location.js'
import { failureOf } from '../../cli/failure.js'
import { logPathFlag, serverFlags } from '../../cli/mount-flags.js'
import type { ServerFlags } from '../../cli/server-chains.js'
import { formatBytes } from '../../cli/status-table.js'
import type { ListedChain } from '../../sync/index.js'

interface Unreadable {
  chain: string
  error: { code: string; message: string }
}

export default class List extends BaseCommand {
  static override summary = 'list the chains of a directory, or of a server; needs no passphrase'

  static override usage = '<%= command.id %> [URL] [FLAGS]'

  static override args = {
    url: Args.string({ description: 'of a server, such as ws://server:5000/db', ignoreStdin: true }),
  }

  static override flags = { ...logPathFlag, ...serverFlags }

  async run(): Promise<{ chains: (ChainDetails | Unreadable | ListedChain)[] }> {
    const { args, flags } = await this.parse(List)
    if (args.url !== undefined) return { chains: await this.#listServer(args.url, flags) }
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

  async #listServer(url: string, flags: ServerFlags): Promise<ListedChain[]> {
    const { listServedChains } = await import('../../cli/server-chains.js')
    const chains = await listServedChains(url, flags)
    for (const { chain, sequence, bytes } of chains) this.log(`${chain}  ${formatBytes(bytes)}  ${sequence} batches`)
    if (chains.length === 0) this.log('There are no chains')
    return chains
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
