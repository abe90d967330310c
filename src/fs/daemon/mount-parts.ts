/** The real pieces of a mount, loaded only by the process that runs one: they are the heavy part of the program. */
import { AteError } from '../../engine/error.js'
import type { MountParts } from './mount-daemon.js'
import type { MountRequest } from './mount-request.js'

export function loadMountParts(_request: MountRequest): Promise<MountParts> {
  return Promise.reject(new AteError('NOT_SUPPORTED', 'the file system is not built yet'))
}
