/**
 * Proves that a mount answers, from a process of its own: one that serves a mount must never touch it, as it would wait for
 * itself. `stat PATH/.` asks the file system for its root, with whatever stat(1) the system has; where it has none, another
 * Node.js asks, which takes longer to start.
 */
import { execFile, type ExecFileException } from 'node:child_process'
import { AteError } from '../../engine/error.js'

/** A first answer takes milliseconds; this only bounds the wait for a driver that does not work at all. */
const TIMEOUT_MS = 15_000

/** Fails with MOUNT_REFUSED. */
export async function verifyMount(mountpoint: string): Promise<void> {
  const root = `${mountpoint}/.`
  const failure = await ask('stat', ['--', root])
  if (failure === undefined) return
  const reason = failure.isProgramAbsent ? await ask(process.execPath, ['-e', statScript(root)]) : failure
  if (reason === undefined) return
  throw new AteError('MOUNT_REFUSED', `mounted at ${mountpoint}, but ${reason.message}`, { cause: reason.cause })
}

interface Failure {
  message: string
  cause: ExecFileException
  /** It never ran. */
  isProgramAbsent: boolean
}

function ask(program: string, args: readonly string[]): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' }, (cause, _output, stderr) => {
      if (cause === null) {
        resolve(undefined)
        return
      }
      const message = cause.killed === true ? 'it does not answer' : reasonIn(stderr) || cause.message
      resolve({ message, cause, isProgramAbsent: typeof cause.code === 'string' })
    })
  })
}

function statScript(path: string): string {
  return `require('node:fs').statSync(${JSON.stringify(path)})`
}

/** Node.js prints a stack around it. */
function reasonIn(stderr: string): string {
  return /^Error: (.+)$/m.exec(stderr)?.[1] ?? stderr.trim()
}
