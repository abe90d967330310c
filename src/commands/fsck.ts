import * as Args from '@oclif/core/args'
import { BaseCommand } from '../cli/base-command.js'
import { findChain } from '../cli/chain-argument.js'
import type { ChainFinding, CheckedChain } from '../cli/check-chain.js'
import { EXIT } from '../cli/exit-codes.js'
import { findingText } from '../cli/finding-text.js'
import { logPathFlag, passphraseFlags } from '../cli/mount-flags.js'
import { readSecret, wipeSecret } from '../cli/passphrase.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { progressText, terminalProgress } from '../cli/progress.js'

interface Checked extends CheckedChain {
  chain: string
  findings: ChainFinding[]
  /** More than are listed. */
  findingCount: number
}

/** Of a log damaged everywhere, people and scripts want to know that, not a million lines. */
const MAX_LISTED = 10_000

export default class Fsck extends BaseCommand {
  static override summary = 'verify a chain that is not mounted: every digest, seal and reference; changes nothing'

  static override description =
    'Exit code 0: clean. 26: damage; each finding names its place in the log, or its inode and path.'

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override examples = ['<%= config.bin %> <%= command.id %> vault --log-path /backup/chains']

  static override args = {
    chain: Args.string({ description: "the chain's name (default: the only one there is)", ignoreStdin: true }),
  }

  static override flags = { ...logPathFlag, ...passphraseFlags }

  async run(): Promise<Checked> {
    const { args, flags } = await this.parse(Fsck)
    const { name, directory, presence } = findChain(args.chain, flags['log-path'])
    const secret = await readSecret(presence, flags, name)
    const { anchors, runtime } = standardPaths(process.env)
    const { checkChain } = await import('../cli/check-chain.js')
    const progress = terminalProgress()
    const steps = checkChain({
      directory,
      anchorDirectory: anchors,
      runtimeDirectory: runtime,
      secret,
      onProgress: (now) => progress.show(progressText(now)),
      onNotice: (text) => this.note(text),
    })
    const findings: ChainFinding[] = []
    let findingCount = 0
    let step = await steps.next()
    for (; step.done !== true; step = await steps.next()) {
      findingCount++
      if (findingCount > MAX_LISTED) continue
      findings.push(step.value)
      progress.clear()
      this.log(findingText(step.value))
    }
    progress.clear()
    wipeSecret(secret)
    const { batches, refused } = step.value
    for (const { sequence, message, signers } of refused) {
      const who = signers.length === 0 ? 'nobody' : signers.map((id) => id.slice(0, 8)).join(', ')
      this.log(`batch ${sequence}, signed by ${who}, is refused by every reader, and nothing of it counts: ${message}`)
    }
    this.log(
      findingCount === 0
        ? `${name} is clean: ${batches} batches verified`
        : `${name} is DAMAGED: ${findingCount} findings in ${batches} readable batches`,
    )
    if (findingCount > 0) process.exitCode = EXIT.DAMAGE
    return { chain: name, ...step.value, findings, findingCount }
  }
}
