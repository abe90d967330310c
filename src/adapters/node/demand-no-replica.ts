/** The copy of a chain that a server keeps is changed through the server only: what is changed beside it never gets there. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REMOTE_FILE } from '../../client/index.js'
import { decodeClientState } from '../../client/client-state.js'
import { AteError } from '../../engine/error.js'

/** NOT_SUPPORTED for a directory that holds such a copy. */
export function demandNoReplica(directory: string): void {
  const path = join(directory, REMOTE_FILE)
  if (!existsSync(path)) return
  const url = serverIn(path) ?? 'URL'
  throw new AteError(
    'NOT_SUPPORTED',
    `${directory} is the copy of a chain that a server keeps: it is not changed here`,
    {
      hint: `What is changed here would never get there. Mount it: atefs mount MOUNTPOINT --remote ${url}, or change its passphrases: atefs passwd ${url}`,
    },
  )
}

/** Undefined when the file does not tell. */
function serverIn(path: string): string | undefined {
  try {
    return decodeClientState(readFileSync(path)).url
  } catch {
    return undefined
  }
}
