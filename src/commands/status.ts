import * as Args from '@oclif/core/args'
import { BaseCommand } from '../cli/base-command.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { statusTable } from '../cli/status-table.js'
import { collectStatus, type MountReport } from '../fs/daemon/collect-status.js'

export default class Status extends BaseCommand {
  static override summary = 'show what is mounted: process, driver, chain, sizes, and what is durable'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> ~/vault --json',
  ]

  static override args = {
    mountpoint: Args.string({ description: 'only this mount', ignoreStdin: true }),
  }

  async run(): Promise<MountReport | { mounts: MountReport[] }> {
    const { args } = await this.parse(Status)
    const mounts = await collectStatus(standardPaths(process.env).runtime, args.mountpoint)
    this.log(statusTable(mounts))
    const [only] = mounts
    return args.mountpoint !== undefined && only !== undefined ? only : { mounts }
  }
}
