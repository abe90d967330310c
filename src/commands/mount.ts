import * as Args from '@oclif/core/args'
import { BaseCommand } from '../cli/base-command.js'
import { mountFlags } from '../cli/mount-flags.js'
import { prepareMount } from '../cli/prepare-mount.js'
import { progressText, terminalProgress } from '../cli/progress.js'
import type { MountStatus } from '../fs/daemon/mount-status.js'

interface Mounted extends MountStatus {
  created: boolean
  notices: string[]
}

export default class Mount extends BaseCommand {
  static override summary = 'mount a chain as a file system; the first mount makes the chain'

  static override description = `The passphrase comes from --passfile, --passcommand, ATEFS_PASSWORD, standard input when it is not a terminal, or a prompt, in this order.

Returns when the mount works. Exit codes are listed in docs/cli.md.`

  static override examples = [
    '<%= config.bin %> <%= command.id %> ~/vault',
    '<%= config.bin %> <%= command.id %> ~/vault photos --log-path /backup/chains -o noatime',
    '<%= config.bin %> <%= command.id %> --temp /tmp/scratch',
  ]

  static override usage = '<%= command.id %> MOUNTPOINT [CHAIN] [FLAGS]'

  static override args = {
    mountpoint: Args.string({
      description: 'directory to mount on; made if absent',
      required: true,
      ignoreStdin: true,
    }),
    // Standard input can be the passphrase: oclif must not take it for an argument that is left out.
    chain: Args.string({ description: "the chain's name (default: the last part of MOUNTPOINT)", ignoreStdin: true }),
  }

  static override flags = mountFlags

  async run(): Promise<Mounted | undefined> {
    const { args, flags } = await this.parse(Mount)
    const notices: string[] = []
    const onNotice = (text: string): void => {
      notices.push(text)
      this.note(text)
    }
    const { request, secret, undo } = await prepareMount(args.mountpoint, args.chain, flags, onNotice)
    const progress = terminalProgress()
    const report = (status: MountStatus): Mounted => {
      progress.clear()
      const { chain, directory, mountpoint, driver, pid } = status
      if (request.create && !status.temporary) {
        const made = `Created a new, empty chain ${chain} in ${directory}`
        if (this.jsonEnabled()) notices.push(made)
        else this.log(made)
      }
      this.log(`Mounted ${chain} at ${mountpoint} (driver ${driver}, process ${pid})`)
      return { ...status, created: request.create, notices }
    }
    try {
      if (!flags.foreground) {
        const { startDaemon } = await import('../cli/daemonize.js')
        return report(await orUndo(startDaemon(request, secret, { onProgress: progress.show, onNotice }), undo))
      }
      const { serveUntilEnd, startMount } = await import('../cli/serve-mount.js')
      const say = (text: string): void => this.note(text)
      const onProgress = (now: Parameters<typeof progressText>[0]): void => progress.show(progressText(now))
      const daemon = await orUndo(startMount(request, secret, { onProgress, onNotice, onWarning: say }), undo)
      const mounted = report(daemon.status())
      if (this.jsonEnabled()) this.logJson(mounted)
      await serveUntilEnd(daemon, say)
      this.log(`Unmounted ${request.mountpoint}; everything is durable`)
      return undefined
    } finally {
      progress.clear()
    }
  }
}

async function orUndo<T>(started: Promise<T>, undo: () => void): Promise<T> {
  try {
    return await started
  } catch (error) {
    undo()
    throw error
  }
}
