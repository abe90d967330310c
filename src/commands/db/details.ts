import * as Args from '@oclif/core/args'
import { standardPaths } from '../../adapters/node/standard-paths.js'
import { BaseCommand } from '../../cli/base-command.js'
import { findChain } from '../../cli/chain-argument.js'
import { type ChainDetails, describeLocation } from '../../cli/describe-location.js'
import { logPathFlag, serverFlags } from '../../cli/mount-flags.js'
import type { ServedChain } from '../../cli/server-chains.js'
import { formatBytes } from '../../cli/status-table.js'

export default class Details extends BaseCommand {
  static override summary = 'show what can be known of a chain without its passphrase; mounted or not'

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override args = {
    chain: Args.string({
      description: "the chain's name, or its URL at a server (default: the only one there is)",
      ignoreStdin: true,
    }),
  }

  static override flags = { ...logPathFlag, ...serverFlags }

  async run(): Promise<ChainDetails | ServedChain> {
    const { args, flags } = await this.parse(Details)
    if (args.chain?.includes('://') === true) {
      const { describeServedChain } = await import('../../cli/server-chains.js')
      const served = await describeServedChain(args.chain, flags)
      for (const [name, value] of Object.entries(served)) this.log(`${name.padEnd(14)}${String(value)}`)
      return served
    }
    const location = findChain(args.chain, flags['log-path'])
    const details = await describeLocation(location, standardPaths(process.env).runtime)
    for (const [name, text] of rowsOf(details)) this.log(`${name.padEnd(10)}${text}`)
    return details
  }
}

function rowsOf(details: ChainDetails): [string, string][] {
  const { createdMs, changedMs, segments, logBytes, diskBytes, headSequence, mountpoint, pid } = details
  const rows: [string, string][] = [
    ['chain', details.chain],
    ['id', details.chainId],
    ['directory', details.directory],
    ['suite', `${details.suite}, trust ${details.trust}`],
    ['opens with', details.opensWith === 'passphrase' ? ' a passphrase' : ' the key beside it'],
    ['created', new Date(createdMs).toISOString()],
    ['changed', new Date(changedMs).toISOString()],
    ['log', `${formatBytes(logBytes)} in ${segments} segments, ${formatBytes(diskBytes)} on the disk`],
    ['batches', `${headSequence}${pid === undefined ? '' : ' in closed segments'}`],
  ]
  if (mountpoint !== undefined) rows.push(['mounted', mountpoint])
  if (pid !== undefined) rows.push(['process', String(pid)])
  return rows
}
