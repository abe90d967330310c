/** `atefs fsck` of the copy that a machine keeps of a chain. */
import { type CliResult, type CliWorld, shell } from './cli.js'

/** `logs`: the machine's directory of chains, with one copy in it, which nobody has open. The passphrase is in `passfile`. */
export async function checkCopy(world: CliWorld, logs: string): Promise<CliResult> {
  const [place = ''] = (await shell(`dirname ${logs}/*/*/manifest`)).trim().split('\n')
  const words = ['fsck', place.split('/').at(-1) ?? '', '--log-path', place.replace(/\/[^/]*$/, '')]
  return world.run([...words, '--passfile', world.path('passfile')])
}
