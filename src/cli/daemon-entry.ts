/**
 * Entry point of the background process (`daemonize.ts` starts it): mounts what it is told, says how it went, lets go of its
 * parent and serves until the mount ends. It is no command: oclif is not loaded.
 */
import { errorCode, isAteError } from '../engine/error.js'
import { toErrorRecord } from '../fs/daemon/error-record.js'
import { logLine } from './daemon-log.js'
import type { DaemonMessage, StartMessage } from './daemon-messages.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { progressText } from './progress.js'
import { serveUntilEnd, startMount } from './serve-mount.js'

function send(message: DaemonMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve())
    else resolve()
  })
}

/** The program's own process sent it, from the same code: the one place where a message is taken at its word. */
function isStartMessage(message: unknown): message is StartMessage {
  return typeof message === 'object' && message !== null && 'request' in message && 'secret' in message
}

async function run(start: StartMessage): Promise<number> {
  const { request, secret, logFile } = start
  const say = (text: string): void => logLine(logFile, text)
  try {
    const daemon = await startMount(request, secret, {
      onProgress: (progress) => void send({ type: 'progress', text: progressText(progress) }),
      onNotice: (text) => void send({ type: 'notice', text }),
      onWarning: say,
    })
    // Whoever asked for the mount has gone before it was there: nobody knows of it, so it must not stay.
    if (!process.connected) void daemon.forceEnd().catch(() => undefined)
    say(`mounted at ${request.mountpoint}`)
    await send({ type: 'mounted', status: daemon.status() })
    if (process.connected) process.disconnect()
    const end = await serveUntilEnd(daemon, say)
    say(`unmounted; durable up to batch ${end.durableSequence}`)
    return EXIT.OK
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    say(isAteError(error) ? `${error.code}: ${error.message}` : stack)
    if (isAteError(error)) await send({ type: 'failed', error: toErrorRecord(error, 'DAEMON_FAILED') })
    else await send({ type: 'crashed', stack })
    const code = errorCode(error)
    return code === undefined ? EXIT.UNEXPECTED : exitCodeOf(code)
  }
}

// What this process makes is for its owner only.
process.umask(0o077)
process.once('message', (message) => {
  if (!isStartMessage(message)) process.exit(EXIT.USAGE)
  process.title = `atefs ${message.request.mountpoint}`
  void run(message).then((code) => process.exit(code))
})
