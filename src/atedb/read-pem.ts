/** Certificates and their keys. */
import { readFileSync } from 'node:fs'
import { fileError } from '../adapters/node/file-error.js'

/** ACCESS_DENIED, INPUT_OUTPUT. */
export function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError('read', path, error)
  }
}
