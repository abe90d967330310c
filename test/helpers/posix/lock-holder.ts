/**
 * A second process that takes locks on request: the other side of lock tests. Started with fork(); each message is one
 * request, answered with the errno's name, or null when it succeeded. Ends with its channel.
 */
import { lockAsProcess, flock, type RecordLock } from './kernel-calls.js'
import { libc } from './libc.js'
import { errnoOf } from './files.js'
import { O_RDWR } from './constants.js'

export type LockRequest =
  | { call: 'open'; path: string }
  | { call: 'flock'; operation: number }
  | { call: 'fcntl'; lock: RecordLock }
  | { call: 'close' }

let fd = -1

function serve(request: LockRequest): void {
  if (request.call === 'open') fd = libc.open(Buffer.from(`${request.path}\0`), O_RDWR, 0)
  else if (request.call === 'flock') flock(fd, request.operation)
  else if (request.call === 'fcntl') lockAsProcess(fd, request.lock)
  else libc.close(fd)
}

process.on('message', (message) => {
  void errnoOf(() => serve(message as LockRequest)).then((errno) => process.send?.(errno ?? null))
})
