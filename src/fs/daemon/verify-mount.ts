/**
 * Proves that a mount answers, from a process of its own: one that serves a mount must never touch it, as it would wait for
 * itself. `stat PATH/.` asks the file system for its root, with whatever stat(1) the system has.
 */
import { execFile } from 'node:child_process'
import { AteError } from '../../engine/error.js'

/** A first answer takes milliseconds; this only bounds the wait for a driver that does not work at all. */
const TIMEOUT_MS = 15_000

/** Fails with MOUNT_REFUSED. */
export function verifyMount(mountpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      'stat',
      ['--', `${mountpoint}/.`],
      { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, _output, stderr) => {
        if (error === null) {
          resolve()
          return
        }
        const reason = error.killed === true ? 'it does not answer' : stderr.trim() || error.message
        reject(new AteError('MOUNT_REFUSED', `mounted at ${mountpoint}, but ${reason}`, { cause: error }))
      },
    )
  })
}
