/** A connection whose handshake is done: messages both ways, until one side says goodbye or something goes wrong. */
import type { Packable } from '../engine/codec/message-pack.js'
import { AteError, type ErrorCode, isAteError, isErrorCode } from '../engine/error.js'
import type { Agreement, Line } from './agreement.js'
import type { HandshakePackets } from './handshake-packets.js'
import { Heartbeat } from './heartbeat.js'
import { Inbox } from './inbox.js'
import { CLOSE_TIMEOUT_MS } from './limits.js'
import type { WireSettings } from './options.js'
import { Outbox } from './outbox.js'
import { packetMemory } from './packet-memory.js'
import { decodePayload, encodeClose, encodeMessages } from './payload.js'
import { plainText } from './refusal.js'
import type { Timers } from './timers.js'
import type { Transport, TransportEvents } from './transport.js'

export interface CloseReason {
  /** CONNECTION_CLOSED after a goodbye of either side, else what went wrong. */
  readonly code: ErrorCode
  readonly message: string
  /** Which side ended it; a network that fails counts as there. */
  readonly by: 'here' | 'there'
}

export class Connection implements AsyncIterable<unknown> {
  /** What was agreed, and who is there. */
  readonly agreement: Agreement
  /** Resolves when the connection is over and the transport has ended. Never rejects. */
  readonly closed: Promise<CloseReason>
  readonly #line: Line
  readonly #transport: Transport
  readonly #timers: Timers
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #heartbeat: Heartbeat
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => void this.close()
  #resolveClosed: (reason: CloseReason) => void = () => undefined
  #heard = 0
  #reason: CloseReason | undefined
  /** We have said goodbye, and wait for the other side's. */
  #isWaiting = false
  #stopClosing: () => void = () => undefined

  /** For `connect` and `accept`. */
  constructor(transport: Transport, packets: HandshakePackets, agreed: Agreement & Line, settings: WireSettings) {
    const { writer, reader, ...agreement } = agreed
    this.agreement = agreement
    this.#line = { writer, reader }
    this.#transport = transport
    this.#timers = settings.timers
    this.#signal = settings.signal
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    this.#inbox = new Inbox(settings.maxUnreadBytes, {
      full: () => transport.pause(),
      hasRoom: () => transport.resume(),
    })
    this.#outbox = new Outbox({
      write: (pieces, written) => this.#write(pieces, written),
      timers: settings.timers,
      compression: agreement.compression,
      maxBytes: settings.maxUnsentBytes,
    })
    this.#heartbeat = new Heartbeat(settings.timers, {
      beat: () => void this.#write(encodeMessages([])),
      silent: () => this.#fail(new AteError('CONNECTION_LOST', 'The other side is silent.')),
      isDeaf: () => this.#inbox.isFull,
    })
    const events: TransportEvents = { packet: (bytes) => this.#packet(bytes), ended: (error) => this.#ended(error) }
    packets.handOver(events)
    // It may have ended in the handshake.
    if (this.#reason === undefined) this.#signal?.addEventListener('abort', this.#onAbort)
    if (this.#signal?.aborted === true) this.#onAbort()
  }

  /** Packets that have come, signs of life too. */
  get heard(): number {
    return this.#heard
  }

  /** Bytes that are held because the other side has not taken them. */
  get unsentBytes(): number {
    return this.#outbox.unsentBytes
  }

  /**
   * Sends one message; those sent together share a frame. LAGGED when the other side does not read and too much waits
   * (the message is not sent; wait for `ready`, or close), MESSAGE_TOO_LARGE, and the reason of the end after it.
   */
  send(message: Packable): void {
    this.#outbox.push(this.agreement.format.encode(message))
  }

  /** As `send`, of what `agreement.format` has encoded. */
  sendEncoded(message: Uint8Array): void {
    this.#outbox.push(message)
  }

  /** Resolves when there is room to send: at most so many bytes wait. Rejects with the reason of the end. */
  ready(atMost?: number): Promise<void> {
    return this.#outbox.ready(atMost)
  }

  /**
   * The messages of the other side, for one reader: values of any shape. It ends after a goodbye, and throws when the
   * connection ends in any other way: something may be missing then. A malformed message ends the connection.
   */
  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return {
      next: async () => {
        const result = await this.#inbox.next()
        if (result.done === true) return result
        try {
          return { value: this.agreement.format.decode(result.value), done: false }
        } catch (error) {
          const failure = asAteError(error)
          this.#fail(failure)
          throw failure
        }
      },
    }
  }

  /**
   * Says goodbye after what was sent, with the error that made this side end if any, and resolves when the connection is
   * over. What the other side still sends is not taken. May be called again.
   */
  close(error?: AteError): Promise<CloseReason> {
    if (this.#reason === undefined) {
      const { code, message } = error ?? new AteError('CONNECTION_CLOSED', 'The connection was closed.')
      this.#isWaiting = true
      this.#end({ code, message, by: 'here' })
      this.#inbox.clear()
      this.#transport.resume()
    }
    return this.closed
  }

  #write(pieces: readonly Uint8Array[], written: (bytes: number) => void = () => undefined): number {
    const packet = this.#line.writer.write(...pieces)
    const { length } = packet
    this.#heartbeat.sent()
    this.#transport.send(packet, () => {
      packetMemory.giveBack(packet)
      written(length)
    })
    return length
  }

  #packet(bytes: Uint8Array): void {
    if (this.#reason !== undefined && !this.#isWaiting) return
    try {
      const payload = decodePayload(this.#line.reader.read(bytes), this.agreement.compression)
      this.#heartbeat.received()
      this.#heard++
      if (payload.kind === 'finish') throw new AteError('BAD_FORMAT', 'The handshake is over.')
      if (payload.kind === 'messages') this.#inbox.add(payload.messages)
      else this.#goodbye(payload.code, payload.reason)
    } catch (error) {
      this.#fail(asAteError(error))
    }
  }

  #goodbye(said: string, reason: string): void {
    const code = isErrorCode(said) ? said : 'CONNECTION_FAILED'
    if (this.#isWaiting) {
      this.#isWaiting = false
      this.#line.reader.wipe()
      this.#transport.close()
    } else {
      this.#end({ code, message: plainText(reason), by: 'there' })
      this.#line.reader.wipe()
      this.#transport.close()
    }
  }

  /** Something is wrong: the other side is told if it can be, and nothing more is believed. */
  #fail(error: AteError): void {
    this.#isWaiting = false
    this.#end({ code: error.code, message: error.message, by: 'here' })
    this.#line.reader.wipe()
    this.#transport.resume()
    this.#transport.close()
  }

  /** Sends what waits and the close, and lets nothing more out. The first reason counts. */
  #end(reason: CloseReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#heartbeat.stop()
    this.#outbox.flush()
    const said = reason.by === 'here' ? reason : { code: 'CONNECTION_CLOSED', message: '' }
    this.#write([encodeClose(said.code, said.message)])
    this.#line.writer.wipe()
    this.#settle(reason)
    this.#stopClosing = this.#timers.after(CLOSE_TIMEOUT_MS, () => this.#transport.destroy())
  }

  #ended(error: AteError | undefined): void {
    this.#isWaiting = false
    if (this.#reason === undefined) {
      const lost = error ?? new AteError('CONNECTION_LOST', 'The connection ended without a goodbye.')
      this.#reason = { code: lost.code, message: lost.message, by: 'there' }
      this.#signal?.removeEventListener('abort', this.#onAbort)
      this.#heartbeat.stop()
      this.#settle(this.#reason)
      this.#line.writer.wipe()
    }
    this.#line.reader.wipe()
    this.#stopClosing()
    this.#resolveClosed(this.#reason)
  }

  #settle({ code, message }: CloseReason): void {
    const error = new AteError(code, message)
    this.#outbox.end(error)
    this.#inbox.end(code === 'CONNECTION_CLOSED' ? undefined : error)
  }
}

/** What comes from outside ends its own connection at most, even where it meets a defect. */
function asAteError(error: unknown): AteError {
  return isAteError(error) ? error : new AteError('BAD_FORMAT', 'A packet could not be handled.', { cause: error })
}
