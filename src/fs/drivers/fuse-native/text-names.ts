/**
 * Names between fuse-native, where they are text, and the file system, where they are bytes. What is no UTF-8 arrives with
 * U+FFFD in its place; two names may then be one, so such a name is refused rather than taken for another.
 */
import { AteError } from '../../../engine/error.js'
import type { Name } from '../../vfs/types.js'

const REPLACEMENT = '\ufffd'

/** One character per byte. Fails with INVALID for what was no UTF-8, and for U+FFFD itself. */
export function bytesOfText(text: string): string {
  if (text.includes(REPLACEMENT)) throw new AteError('INVALID', 'The driver fuse-native serves names in UTF-8 only.')
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function nameOfText(text: string): Name {
  return bytesOfText(text) as Name
}

/** A name that is no UTF-8 is shown with U+FFFD, so that it is seen to be there. */
export function textOfBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
