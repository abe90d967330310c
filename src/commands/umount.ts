import * as Args from '@oclif/core/args'
import { BaseCommand } from '../cli/base-command.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { unmount, type Unmounted } from '../fs/daemon/unmount.js'

export default class Umount extends BaseCommand {
  static override summary = 'commit everything, unmount, and wait until all is durable'

  static override examples = ['<%= config.bin %> <%= command.id %> ~/vault']

  static override args = {
    mountpoint: Args.string({ description: 'where the chain is mounted', required: true, ignoreStdin: true }),
  }

  async run(): Promise<Unmounted> {
    const { args } = await this.parse(Umount)
    const result = await unmount(args.mountpoint, standardPaths(process.env).runtime)
    this.log(sentence(result))
    return result
  }
}

function sentence(unmounted: Unmounted): string {
  const { unsentBatches = 0, temporary } = unmounted
  const said = localSentence(unmounted)
  if (unsentBatches === 0) return said
  const what = `${unsentBatches} batches are not at the server`
  return temporary === true ? `${said}; ${what}, and are lost` : `${said}; ${what}: the next mount brings them there`
}

function localSentence({ mountpoint, outcome, durableSequence, temporary }: Unmounted): string {
  if (temporary === true && outcome === 'dead')
    return `Cleared ${mountpoint}: its daemon had died, and with it its temporary chain`
  if (temporary === true) return `Unmounted ${mountpoint}; its temporary chain is gone`
  if (outcome === 'durable') {
    return `Unmounted ${mountpoint}; everything is durable${durableSequence === undefined ? '' : ` (batch ${durableSequence})`}`
  }
  if (outcome === 'dead') return `Cleared ${mountpoint}: its daemon had died; what was durable then is in the log`
  return `Unmounted ${mountpoint}; its daemon cannot be found from here, and commits on its own before it ends`
}
