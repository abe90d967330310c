/** Dials a WebSocket. */
import { isIP, type LookupFunction } from 'node:net'
import type { WebSocket } from 'ws'
import { AteError } from '../../../engine/error.js'
import { MAX_PACKET_BYTES, type Transport } from '../../../wire/index.js'
import { SOCKET_OPTIONS, WebSocketTransport } from './transport.js'

/** Connecting, TLS and the answer of the HTTP server together. */
const OPENING_TIMEOUT_MS = 10_000

export interface DialOptions {
  /** Gives up. ABORTED. */
  signal?: AbortSignal | undefined
  timeoutMs?: number
  /** Where the host of the URL is; without them it is looked up. */
  addresses?: readonly string[] | undefined
  /** For wss: certificates of authorities (PEM) that are trusted instead of the system's. */
  authorities?: string | undefined
}

/** An open transport to a `ws:` or `wss:` URL. CONNECTION_FAILED, TIMED_OUT, ABORTED; BAD_ARGUMENT for another URL. */
export async function dialWebSocket(url: string, options: DialOptions = {}): Promise<Transport> {
  const { signal, timeoutMs = OPENING_TIMEOUT_MS } = options
  // Most programs never dial: loaded by the first that does.
  const { WebSocket } = await import('ws')
  if (signal?.aborted === true) throw givenUp()
  const socket = open(WebSocket, url, options)
  return new Promise((resolve, reject) => {
    let failure: AteError | undefined
    const giveUp = (error: AteError): void => {
      failure ??= error
      socket.terminate()
    }
    const onAbort = (): void => giveUp(givenUp())
    const timer = setTimeout(() => giveUp(new AteError('TIMED_OUT', `${url} does not answer.`)), timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort)
    socket.once('open', () => {
      settle()
      resolve(new WebSocketTransport(socket))
    })
    // Stays: a socket that nobody listens to would end the process with its errors.
    socket.on('error', (cause) => {
      settle()
      reject(failure ?? new AteError('CONNECTION_FAILED', `${url} cannot be reached: ${reasonOf(cause)}.`, { cause }))
    })
  })
}

function open(Socket: typeof WebSocket, url: string, { addresses = [], authorities }: DialOptions): WebSocket {
  try {
    return new Socket(url, {
      ...SOCKET_OPTIONS,
      maxPayload: MAX_PACKET_BYTES,
      followRedirects: false,
      generateMask: maskNothing,
      ...(addresses.length === 0 ? {} : { lookup: lookupOf(addresses) }),
      ...(authorities === undefined ? {} : { ca: authorities }),
    })
  } catch (cause) {
    throw new AteError('BAD_ARGUMENT', `${url} is no address of a server.`, { cause })
  }
}

/**
 * RFC 6455 masks what scripts of strangers may choose, so that no proxy takes it for something else. What goes out here is chosen
 * by this program, and sealed: the mask of zeros, which changes nothing, saves both sides a pass over every byte.
 */
function maskNothing(mask: Uint8Array): void {
  mask.fill(0)
}

/** Several are tried one after another, as those that the system gives. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all)
    else callback(null, all[0]?.address ?? '', all[0]?.family)
  }
}

/** Node joins the failures of several addresses in an error without a message. */
function reasonOf(cause: Error): string {
  if (cause.message !== '') return cause.message
  return 'code' in cause ? String(cause.code) : cause.name
}

function givenUp(): AteError {
  return new AteError('ABORTED', 'Connecting was given up.')
}
