import { homedir } from 'node:os'
import * as Args from '@oclif/core/args'
import { serveSolo, type Started } from '../../cli/atedb/serve-solo.js'
import { serverSettings } from '../../cli/atedb/server-settings.js'
import { soloFlags } from '../../cli/atedb/solo-flags.js'
import { BaseCommand } from '../../cli/base-command.js'

export default class Solo extends BaseCommand {
  static override summary = 'serve chains to clients; also installed as the program atedb'

  static override description = `Stays in the foreground until SIGINT or SIGTERM. The server has no key of a chain: it keeps sealed batches, in one order.

GET /healthz tells whether it works, GET /metrics its numbers for Prometheus. docs/cli.md has the rest.`

  static override examples = [
    '<%= config.bin %> <%= command.id %> --no-auth',
    '<%= config.bin %> <%= command.id %> --no-auth -l 127.0.0.1 -p 5555 ~/another-path/',
    '<%= config.bin %> <%= command.id %> --no-auth --trust distributed --wire-encryption 256',
  ]

  static override args = {
    'logs-path': Args.string({
      description: 'directory of the logs (default: /opt/ate for root, else ~/ate)',
      ignoreStdin: true,
    }),
  }

  static override flags = soloFlags

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(Solo)
    const verbose = raw.filter((token) => token.type === 'flag' && token.flag === 'verbose').length
    const settings = serverSettings(
      args['logs-path'],
      { ...flags, verbose },
      {
        environment: process.env,
        home: process.env['HOME'] ?? homedir(),
        isRoot: process.geteuid?.() === 0,
        isTerminal: process.stderr.isTTY,
      },
    )
    const report = (started: Started, lines: readonly string[]): void => {
      if (this.jsonEnabled()) this.logJson(started)
      else for (const line of lines) this.log(line)
    }
    await serveSolo(settings, report)
    this.log('Goodbye: everything that was acknowledged is on the disk.')
  }
}
