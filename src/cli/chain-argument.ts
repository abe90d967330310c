/** The optional CHAIN argument of commands that need no mountpoint: by name, or the only one there is. */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AteError } from '../engine/error.js'
import { type ChainPresence, examineChainDirectory } from '../adapters/node/chain-presence.js'
import { checkChainName } from '../engine/chain/chain-name.js'
import { standardPaths } from '../adapters/node/standard-paths.js'

export interface ChainLocation {
  name: string
  directory: string
  /** How it is opened. */
  presence: Exclude<ChainPresence, 'absent'>
}

/** Fails with CHAIN_NOT_FOUND, NOT_A_CHAIN, ACCESS_DENIED, BAD_ARGUMENT (a bad name; none given and several there). */
export function findChain(name: string | undefined, logPathFlag: string | undefined): ChainLocation {
  if (name !== undefined) demandLocal(name)
  const logPath = resolve(logPathFlag ?? standardPaths(process.env).chains)
  const chosen = name === undefined ? onlyChainIn(logPath) : checkChainName(name)
  const directory = join(logPath, chosen)
  const presence = examineChainDirectory(directory)
  if (presence === 'absent') throw notFound(`there is no chain ${chosen} in ${logPath}`)
  return { name: chosen, directory, presence }
}

/** NOT_SUPPORTED for the address of a server, which may stand where a chain is named. */
export function demandLocal(name: string): void {
  if (!name.includes('://')) return
  throw new AteError('NOT_SUPPORTED', `${name} is at a server: this command knows chains of this machine only`, {
    hint: 'Mount it to change it: atefs mount MOUNTPOINT --remote URL. atefs dump, passwd, db list, details, compact and backup take its URL.',
  })
}

/** The chains of a directory, by their names; what is none is left out. CHAIN_NOT_FOUND when it cannot be read. */
export function listChains(logPathFlag: string | undefined): ChainLocation[] {
  if (logPathFlag !== undefined) demandLocal(logPathFlag)
  const logPath = resolve(logPathFlag ?? standardPaths(process.env).chains)
  return listDirectory(logPath).flatMap((name) => {
    const directory = join(logPath, name)
    const presence = presenceOf(directory)
    return presence === 'absent' ? [] : [{ name, directory, presence }]
  })
}

function onlyChainIn(logPath: string): string {
  const names = listDirectory(logPath).filter((name) => presenceOf(join(logPath, name)) !== 'absent')
  const [only, ...others] = names
  if (only === undefined) throw notFound(`there is no chain in ${logPath}`)
  if (others.length === 0) return only
  throw new AteError('BAD_ARGUMENT', `there are several chains in ${logPath}`, {
    hint: `Give the name of one: ${names.slice(0, 10).join(', ')}`,
  })
}

/** Of what may be anything. */
function presenceOf(directory: string): ChainPresence {
  try {
    return examineChainDirectory(directory)
  } catch {
    return 'absent'
  }
}

function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (cause) {
    throw new AteError('CHAIN_NOT_FOUND', `cannot read the directory of chains ${directory}`, {
      hint: 'Check --log-path.',
      cause,
    })
  }
}

function notFound(message: string): AteError {
  return new AteError('CHAIN_NOT_FOUND', message, { hint: 'Check --log-path and the name of the chain.' })
}
