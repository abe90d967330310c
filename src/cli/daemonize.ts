/**
 * Starts the background process of a mount and waits for its word: it works, or why not. The parent ends only then, so that
 * `mount && cp` is right and a failure has its message and exit code.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AteError } from '../engine/error.js'
import type { ChainSecret } from '../adapters/node/chain-handle.js'
import { fromErrorRecord } from '../fs/daemon/error-record.js'
import { asObject, textField } from '../fs/daemon/json-fields.js'
import type { MountRequest } from '../fs/daemon/mount-request.js'
import { readMountStatus, type MountStatus } from '../fs/daemon/mount-status.js'
import { daemonLogPath, openDaemonLog } from './daemon-log.js'
import type { StartMessage } from './daemon-messages.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { wipeSecret } from './passphrase.js'

export interface StartEvents {
  onProgress: (text: string) => void
  onNotice: (text: string) => void
}

const ENTRY = fileURLToPath(new URL('./daemon-entry.js', import.meta.url))

/** The mount's status once it answers. Fails as the daemon failed, or with DAEMON_FAILED when it ended without a word. */
export async function startDaemon(
  request: MountRequest,
  secret: ChainSecret,
  events: StartEvents,
): Promise<MountStatus> {
  const logFile = daemonLogPath(standardPaths(process.env).logs, request.chain, request.directory)
  const log = openDaemonLog(logFile)
  // The mountpoint is an argument only to be seen in ps(1).
  const child = spawn(process.execPath, [ENTRY, request.mountpoint], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    serialization: 'advanced',
  })
  closeSync(log)
  try {
    const answer = awaitAnswer(child, events, logFile)
    const start: StartMessage = { request, secret, logFile }
    child.send(start)
    return await answer
  } finally {
    wipeSecret(secret)
    if (child.connected) child.disconnect()
    child.unref()
  }
}

function awaitAnswer(child: ChildProcess, events: StartEvents, logFile: string): Promise<MountStatus> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      reject(
        new AteError(
          'DAEMON_FAILED',
          `the background process ended with ${signal ?? `exit code ${code}`} before the mount worked`,
          {
            hint: `Its messages are in ${logFile}`,
          },
        ),
      )
    })
    child.on('message', (message) => {
      try {
        const status = receive(message, events)
        if (status !== undefined) resolve(status)
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
}

function receive(message: unknown, events: StartEvents): MountStatus | undefined {
  const fields = asObject(message)
  const type = textField(fields, 'type')
  if (type === 'mounted') return readMountStatus(asObject(fields['status']))
  if (type === 'failed') throw fromErrorRecord(asObject(fields['error']))
  if (type === 'crashed') {
    const crash = new Error('the background process failed')
    crash.stack = textField(fields, 'stack')
    throw crash
  }
  if (type === 'notice') events.onNotice(textField(fields, 'text'))
  if (type === 'progress') events.onProgress(textField(fields, 'text'))
  return undefined
}
