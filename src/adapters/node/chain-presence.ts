/** What can be said about a chain's directory without its key: is there a chain, and how is it opened. See `docs/format.md`. */
import { readdirSync } from 'node:fs'
import { AteError } from '../../engine/error.js'

/** 'absent': nothing there, or a creation that did not get as far as its first segment. */
export type ChainPresence = 'absent' | 'passphrase' | 'key-file'

/** What a creation that was interrupted may leave behind. */
const UNFINISHED = new Set(['lock', 'key', 'keyring', 'index'])

/** Fails with NOT_A_CHAIN for a directory of something else, ACCESS_DENIED, or NOT_A_CHAIN for a file. */
export function examineChainDirectory(directory: string): ChainPresence {
  const names = listDirectory(directory)
  if (names.includes('manifest') || names.some((name) => name.endsWith('.seg'))) {
    return names.includes('key') ? 'key-file' : 'passphrase'
  }
  if (names.every((name) => UNFINISHED.has(name) || name.endsWith('.new'))) return 'absent'
  throw new AteError('NOT_A_CHAIN', `${directory} holds something else than a chain`, {
    hint: 'Give the directory that holds chains with --log-path, and the name of the chain as the second argument.',
  })
}

function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw new AteError('NOT_A_CHAIN', `${directory} is not a directory`, { cause })
    throw new AteError('ACCESS_DENIED', `cannot read the directory ${directory} (${code})`, { cause })
  }
}
