/**
 * The options uid=, gid= and umask=: who the kernel (and so every program and every permission check) believes the files
 * belong to. For a chain that came from a machine with other users. What is stored stays as it is: a changed owner is
 * refused unless it is the shown one, for it could not be seen and would be copied back by the next `cp -p`; chmod stores
 * what it is given, and the masked bits only are not shown.
 */
import { AteError } from '../../../engine/error.js'
import type { AttributeChange, Attributes } from '../../vfs/types.js'

export interface ShownOwner {
  uid?: number
  gid?: number
  /** Permission bits never shown. */
  umask?: number
}

const PERMISSIONS = 0o777

export function shownUid(shown: ShownOwner, attributes: Attributes): number {
  return shown.uid ?? attributes.uid
}

export function shownGid(shown: ShownOwner, attributes: Attributes): number {
  return shown.gid ?? attributes.gid
}

export function shownMode(shown: ShownOwner, attributes: Attributes): number {
  return shown.umask === undefined ? attributes.mode : attributes.mode & ~(shown.umask & PERMISSIONS)
}

/** Takes an owner or group that is only shown out of the change. NOT_PERMITTED when it is another. */
export function storedOwner(shown: ShownOwner, change: AttributeChange): void {
  if (shown.uid !== undefined && change.uid !== undefined) {
    if (change.uid !== shown.uid) throw notChangeable('uid')
    delete change.uid
  }
  if (shown.gid !== undefined && change.gid !== undefined) {
    if (change.gid !== shown.gid) throw notChangeable('gid')
    delete change.gid
  }
}

function notChangeable(option: string): AteError {
  return new AteError('NOT_PERMITTED', `the owner is fixed by the mount option ${option}=`)
}
