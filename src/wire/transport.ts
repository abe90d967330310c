/** What carries packets: a WebSocket, or a pair in memory. Nothing of it is trusted but that it keeps its own bounds. */
import type { AteError } from '../engine/error.js'

export interface TransportEvents {
  /** One whole packet. The bytes are the receiver's. */
  packet(bytes: Uint8Array): void
  /** It has ended; nothing comes after. Once. `error` says why when it was no orderly end. */
  ended(error?: AteError): void
}

export interface Transport {
  /** Begins to deliver; nothing is lost before. Once. */
  start(events: TransportEvents): void
  /** `written` is called once, when the bytes are no longer held here: their memory is used again. Ignored after the end. */
  send(packet: Uint8Array, written: () => void): void
  /** Nothing more is read; what has been read already may still be delivered. */
  pause(): void
  resume(): void
  /** Ends when all that was sent is written. */
  close(): void
  /** Ends at once. */
  destroy(): void
}
