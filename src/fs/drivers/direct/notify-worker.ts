/** The thread of `Notifier`: writes each notification to the descriptor in workerData and says when it is done. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

const fd: unknown = workerData
const port = parentPort

port?.on('message', (bytes: unknown) => {
  if (typeof fd === 'number' && bytes instanceof Uint8Array) write(fd, bytes)
  port.postMessage(undefined)
})

/** ENOENT: nothing of it is cached. Whatever else is wrong (the mount is gone), there is no cache to be stale. */
function write(descriptor: number, bytes: Uint8Array): void {
  try {
    writeSync(descriptor, bytes)
  } catch {
    return
  }
}
