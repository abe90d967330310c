/** Asks a running daemon (`control-server.ts`), and tells a dead one from one that does not answer. */
import { connect } from 'node:net'
import { AteError } from '../../engine/error.js'
import { fromErrorRecord } from './error-record.js'
import { asObject, parseJsonObject, type JsonObject } from './json-fields.js'
import { readMountStatus, type MountStatus } from './mount-status.js'
import { socketPath } from './socket-path.js'

const MAX_REPLY_BYTES = 64 * 1024
const STATUS_TIMEOUT_MS = 3000

/** Undefined when no daemon listens there. Fails with DAEMON_FAILED when it does not answer in time. */
export function requestStatus(socket: string): Promise<MountStatus | undefined> {
  return request(socket, { op: 'status' }, STATUS_TIMEOUT_MS, readMountStatus)
}

/**
 * Asks the daemon to commit, unmount and end; however long that takes. Undefined when no daemon listens there or when it
 * ended without an answer. Fails as the daemon's unmount did: MOUNTPOINT_BUSY, WRITE_FAILED, ...
 */
export function requestUnmount(socket: string): Promise<JsonObject | undefined> {
  return request(socket, { op: 'unmount' }, 0, (result) => result)
}

function request<T>(
  path: string,
  message: object,
  timeoutMs: number,
  read: (result: JsonObject) => T,
): Promise<T | undefined> {
  const address = socketPath(path)
  return new Promise<T | undefined>((resolve, reject) => {
    let text = ''
    const socket = connect(address.path, () => socket.write(`${JSON.stringify(message)}\n`))
    socket.setEncoding('utf8')
    socket.setTimeout(timeoutMs, () => {
      socket.destroy()
      reject(new AteError('DAEMON_FAILED', 'the daemon does not answer', { hint: 'Its log may tell why.' }))
    })
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_REPLY_BYTES) socket.destroy(new Error('the reply is too long'))
    })
    socket.on('error', (error) => (isNobody(error) ? resolve(undefined) : reject(failed(error))))
    socket.on('close', () => {
      try {
        resolve(text === '' ? undefined : read(readReply(text)))
      } catch (error) {
        reject(failed(error))
      }
    })
  }).finally(() => address.release())
}

/** ECONNRESET: the daemon died while we waited. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTDIR'])

function isNobody(error: Error): boolean {
  return 'code' in error && NOBODY.has(String(error.code))
}

function readReply(text: string): JsonObject {
  const reply = parseJsonObject(text)
  if (reply['ok'] !== true) throw fromErrorRecord(asObject(reply['error']))
  return asObject(reply['result'])
}

function failed(error: unknown): Error {
  if (error instanceof AteError && error.code !== 'BAD_FORMAT') return error
  return new AteError('DAEMON_FAILED', 'the daemon gave no answer that makes sense', { cause: error })
}
