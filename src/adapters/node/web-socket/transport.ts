/** A WebSocket of `ws` as a transport. */
import type { WebSocket } from 'ws'
import { AteError } from '../../../engine/error.js'
import type { Transport, TransportEvents } from '../../../wire/index.js'
import { bytesOf } from './bytes-of.js'

/** What both sides tell `ws`: compression is ours (before sealing), answers to pings are bounded below. */
export const SOCKET_OPTIONS = { perMessageDeflate: false, autoPong: false, skipUTF8Validation: true } as const

/** More than this waits to be written: a ping is not answered, or a flood of them would fill the memory. */
const MAX_UNSENT_FOR_PONG = 64 * 1024

export class WebSocketTransport implements Transport {
  readonly #socket: WebSocket
  /** What came in with the opening itself: `ws` may give it before the pause. */
  readonly #early: Uint8Array[] = []
  #events: TransportEvents | undefined
  #failure: AteError | undefined
  #hasEnded = false

  /** Takes an open socket. It must be made in the same turn as the socket opens: nothing is read before `start`. */
  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.pause()
    socket.on('message', (data) => {
      const bytes = bytesOf(data)
      if (this.#events === undefined) this.#early.push(bytes)
      else this.#events.packet(bytes)
    })
    socket.on('ping', (data: Uint8Array) => {
      if (socket.bufferedAmount <= MAX_UNSENT_FOR_PONG) socket.pong(data)
    })
    socket.on('error', (cause) => (this.#failure ??= failureOf(cause)))
    socket.on('close', () => {
      this.#hasEnded = true
      this.#events?.ended(this.#failure)
    })
  }

  start(events: TransportEvents): void {
    this.#events = events
    for (const packet of this.#early.splice(0)) events.packet(packet)
    if (this.#hasEnded) events.ended(this.#failure)
    else this.#socket.resume()
  }

  send(packet: Uint8Array, written: () => void): void {
    // `ws` calls back with an error after the end: then nothing is held either.
    this.#socket.send(packet, { binary: true }, written)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.close()
  }

  destroy(): void {
    this.#socket.terminate()
  }
}

function failureOf(cause: Error): AteError {
  const code = 'code' in cause ? cause.code : undefined
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return new AteError('MESSAGE_TOO_LARGE', 'The other side sent a packet that is too large.', { cause })
  if (typeof code === 'string' && code.startsWith('WS_ERR_'))
    return new AteError('BAD_FORMAT', `The other side does not keep to the WebSocket protocol: ${cause.message}.`, {
      cause,
    })
  return new AteError('CONNECTION_LOST', `The connection broke: ${cause.message}.`, { cause })
}
