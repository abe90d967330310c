/**
 * The file a daemon's words go to: standard error of the background process. Bounded: at MAX_BYTES what is there moves to
 * FILE.1 and the file starts anew.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const MAX_BYTES = 1024 * 1024
const STDERR = 2
/** Of a chain's name, so that the file's own name is not too long. */
const MAX_NAME_CHARACTERS = 60

/** One file per chain: its name, and a hash of its directory because names repeat. */
export function daemonLogPath(logs: string, chain: string, directory: string): string {
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  return join(logs, `${chain.slice(0, MAX_NAME_CHARACTERS)}-${hash}.log`)
}

/** A descriptor for the daemon's standard error. Appending, so that truncating it moves the writes as well. */
export function openDaemonLog(path: string): number {
  return openSync(path, 'a', 0o600)
}

/** Writes one line with the time to standard error, which is the file at `path`. A full disk costs the line, nothing else. */
export function logLine(path: string, message: string): void {
  try {
    if (fstatSync(STDERR).size > MAX_BYTES) {
      copyFileSync(path, `${path}.1`)
      ftruncateSync(STDERR)
    }
    writeSync(STDERR, `${new Date().toISOString()} ${message.replaceAll('\n', ' ')}\n`)
  } catch {
    // There is nowhere else to say it.
  }
}
