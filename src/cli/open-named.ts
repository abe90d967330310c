/** The chain that a command line names, by its name or its URL at a server, opened for one command. */
import { findChain } from './chain-argument.js'
import { type CommandOpening, openForCommand } from './open-for-command.js'
import type { OpenedCopy, ServedFlags } from './open-served.js'

/** As `findChain` and `openForCommand`, or `openServed`. */
export async function openNamed(
  chain: string | undefined,
  flags: ServedFlags,
  opening: CommandOpening,
): Promise<OpenedCopy> {
  if (chain?.includes('://') === true) {
    const { openServed } = await import('./open-served.js')
    return await openServed(chain, flags, opening)
  }
  const location = findChain(chain, flags['log-path'])
  const handle = await openForCommand(location, flags, opening)
  return { location, handle, close: () => handle.close() }
}
