/** The thread of `Notifier`: writes each notification to the descriptor in workerData and says what became of it. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { ownFuseDevice } from '../../../adapters/node/libc/own-fuse-device.js'
import type { Outcome } from './notifier.js'

const fd = typeof workerData === 'number' ? ownFuseDevice(workerData) : undefined
const port = parentPort

port?.on('message', (bytes: unknown) => {
  port.postMessage(fd !== undefined && bytes instanceof Uint8Array ? write(fd, bytes) : 'taken')
})

/** Whatever else is wrong (the mount is gone), there is no cache to be stale. */
function write(descriptor: number, bytes: Uint8Array): Outcome {
  try {
    writeSync(descriptor, bytes)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return 'unknown'
    if (code === 'ENOMEM') return 'failed'
  }
  return 'taken'
}
