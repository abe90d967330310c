/** The copy of a chain that a server keeps is changed through the server only: what is changed beside it never gets there. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REMOTE_FILE } from '../../client/remote-file.js'
import { AteError } from '../../engine/error.js'

/** The directory holds the copy of a chain that a server keeps. */
export function isReplica(directory: string): boolean {
  return existsSync(join(directory, REMOTE_FILE))
}

/** NOT_SUPPORTED for a directory that holds such a copy. */
export async function demandNoReplica(directory: string): Promise<void> {
  if (!isReplica(directory)) return
  const url = (await serverIn(join(directory, REMOTE_FILE))) ?? 'URL'
  throw new AteError(
    'NOT_SUPPORTED',
    `${directory} is the copy of a chain that a server keeps: it is not changed here`,
    {
      hint: `What is changed here would never get there. Mount it: atefs mount MOUNTPOINT --remote ${url}, or change its passphrases: atefs passwd ${url}`,
    },
  )
}

/** Undefined when the file does not tell. What reads it is loaded only for this. */
async function serverIn(path: string): Promise<string | undefined> {
  const { decodeClientState } = await import('../../client/client-state.js')
  try {
    return decodeClientState(readFileSync(path)).url
  } catch {
    return undefined
  }
}
