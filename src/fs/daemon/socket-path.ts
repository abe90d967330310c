/**
 * A Unix socket's path may have 107 bytes (sun_path of unix(7)) and a runtime directory may be deeper: then the socket is
 * reached through /proc/self/fd, which stands for a descriptor of its directory.
 */
import { closeSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

const MAX_BYTES = 107

export interface SocketPath {
  /** For bind or connect. */
  path: string
  /** To be called when `path` is no longer needed. */
  release: () => void
}

export function socketPath(path: string): SocketPath {
  if (Buffer.byteLength(path) <= MAX_BYTES) return { path, release: () => undefined }
  const directory = openSync(dirname(path), 'r')
  return { path: `/proc/self/fd/${directory}/${basename(path)}`, release: () => closeSync(directory) }
}
