import { homedir } from 'node:os'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { serverLogsPath } from '../../cli/atedb/server-settings.js'
import { BaseCommand } from '../../cli/base-command.js'
import type { CutReport } from '../../adapters/node/cut-back.js'

interface Cut extends CutReport {
  chain: string
  sequence: number
}

export default class CutChain extends BaseCommand {
  static override summary = 'cut a chain of a server that is not running back to one of its batches'

  static override description = `For a chain that somebody who has its passphrase has spoiled. No key of the chain is needed. What is cut off lies in an export below the logs then.

Clients that had no more than the batch go on by themselves; the others are refused (CHAIN_ROLLED_BACK) until their copies are moved away.`

  static override usage = '<%= command.id %> CHAIN --to SEQUENCE [LOGS-PATH]'

  static override examples = ['<%= config.bin %> <%= command.id %> db/notes --to 1200']

  static override args = {
    chain: Args.string({ description: 'with the service: db/notes', required: true, ignoreStdin: true }),
    'logs-path': Args.string({
      description: 'directory of the logs (default: /opt/ate for root, else ~/ate)',
      ignoreStdin: true,
    }),
  }

  static override flags = {
    to: Flags.integer({
      summary: 'sequence of the last batch that stays',
      required: true,
      min: 0,
      helpValue: 'SEQUENCE',
    }),
  }

  async run(): Promise<Cut> {
    const { args, flags } = await this.parse(CutChain)
    const { cutServedChain } = await import('../../atedb/cut-chain.js')
    const home = process.env['HOME'] ?? homedir()
    const logsPath = serverLogsPath(args['logs-path'], { home, isRoot: process.geteuid?.() === 0 })
    const report = await cutServedChain({ logsPath, chain: args.chain, sequence: flags.to })
    const { batches, setAside } = report
    if (!this.jsonEnabled())
      this.log(
        setAside === undefined
          ? `${args.chain} ends with batch ${flags.to} already.`
          : `${args.chain} ends with batch ${flags.to}. The ${batches} behind it lie in ${setAside}.`,
      )
    return { chain: args.chain, sequence: flags.to, ...report }
  }
}
