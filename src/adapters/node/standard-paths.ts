/**
 * Where things lie outside a chain, by the XDG base directory specification: chains under the data directory, anchors and
 * logs of daemons under the state directory (they must survive a restart), sockets under the runtime directory.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { AteError } from '../../engine/error.js'
import { errnoOf, isNoSpace } from './file-error.js'
import { makeDirectory } from './make-directory.js'

type Environment = Readonly<Record<string, string | undefined>>

export interface Paths {
  /** Default of --log-path: the directory of chains. */
  chains: string
  /** Anchors: what is known durable, outside the log. */
  anchors: string
  /** Logs of daemons. */
  logs: string
  /** Sockets and records of running mounts. */
  runtime: string
}

/** The four directories. None is made here. */
export function standardPaths(environment: Environment): Paths {
  const data = xdgDirectory(environment, 'XDG_DATA_HOME', '.local/share')
  const state = xdgDirectory(environment, 'XDG_STATE_HOME', '.local/state')
  const runtime = environment['XDG_RUNTIME_DIR']
  return {
    chains: join(data, 'atefs'),
    anchors: join(state, 'atefs', 'anchors'),
    logs: join(state, 'atefs'),
    // After sudo or su the runtime directory can be another user's, or gone: then the state directory serves.
    runtime: usable(runtime) ? join(runtime, 'atefs') : join(state, 'atefs', 'run'),
  }
}

/** The specification says that relative paths are to be ignored. */
function xdgDirectory(environment: Environment, variable: string, fallback: string): string {
  const value = environment[variable]
  if (value !== undefined && isAbsolute(value)) return value
  return join(environment['HOME'] ?? homedir(), fallback)
}

function usable(directory: string | undefined): directory is string {
  if (directory === undefined || !isAbsolute(directory)) return false
  try {
    const { uid } = statSync(directory)
    accessSync(directory, constants.W_OK | constants.X_OK)
    return uid === process.getuid?.()
  } catch {
    return false
  }
}

/** Makes a directory only its owner can enter. Fails with ACCESS_DENIED or NO_SPACE. */
export function makePrivateDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o700)
  } catch (cause) {
    throw placeError(`cannot make the directory ${directory}`, cause)
  }
}

/** A place outside a chain could not be made. */
export function placeError(message: string, cause: unknown): AteError {
  if (isNoSpace(cause)) return new AteError('NO_SPACE', `${message}: the disk is full`, { cause })
  const errno = errnoOf(cause)
  return new AteError('ACCESS_DENIED', errno === undefined ? message : `${message} (${errno})`, {
    hint: 'Check --log-path, HOME and the XDG variables, and the permissions of the directories above it.',
    cause,
  })
}
