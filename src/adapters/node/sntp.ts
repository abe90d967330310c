/**
 * Asks a time server once (SNTP over UDP, RFC 4330 and RFC 5905). The request says nothing of this machine: where its time
 * would be there is a random number, which only who has seen the request can repeat.
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { AteError } from '../../engine/error.js'
import { whenConnected } from './connect-datagrams.js'

export interface TimeServer {
  host: string
  port: number
}

export interface TimeSample {
  /** What this machine is behind by. */
  offsetMs: number
  /** The error is at most half of it. */
  roundTripMs: number
}

const PACKET_BYTES = 48
const VERSION_4_CLIENT = 0x23
const SERVER = 4
const NOT_SYNCHRONIZED = 3
const MAX_STRATUM = 15
const [AT_ORIGIN, AT_RECEIVED, AT_SENT] = [24, 32, 40]
/** From 1900, where its times begin, to 1970. */
const SECONDS_BEFORE_1970 = 2_208_988_800
const ERA_MS = 2 ** 32 * 1000
/** More than a machine's clock is off after an answer's time, unless somebody has set it. */
const MAX_STEP_MS = 100

/** TIMED_OUT, BAD_FORMAT (no usable answer came in time), INPUT_OUTPUT, ABORTED. */
export async function askTime(server: TimeServer, timeoutMs: number, signal?: AbortSignal): Promise<TimeSample> {
  let socket: Socket | undefined
  try {
    const { address, family } = await lookup(server.host)
    if (signal?.aborted === true) throw new AteError('ABORTED', 'The time is not asked for any more.')
    socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    // No program goes on only to know the time.
    socket.unref()
    return await exchange(socket, { host: address, port: server.port }, timeoutMs, signal)
  } catch (error) {
    if (error instanceof AteError) throw error
    throw new AteError('INPUT_OUTPUT', `The time server ${server.host} cannot be asked.`, { cause: error })
  } finally {
    socket?.close()
  }
}

async function exchange(
  socket: Socket,
  { host, port }: TimeServer,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<TimeSample> {
  const nonce = randomBytes(8)
  let problem = new AteError('TIMED_OUT', `The time server did not answer within ${timeoutMs} ms.`)
  let [machineMs, sentAt] = [0, 0]
  let timer: ReturnType<typeof setTimeout> | undefined
  let abort: (() => void) | undefined
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(problem), timeoutMs).unref()
      abort = () => reject(new AteError('ABORTED', 'The time is not asked for any more.'))
      signal?.addEventListener('abort', abort)
      socket.on('error', reject)
      socket.on('message', (bytes) => {
        try {
          resolve(readAnswer(bytes, nonce, machineMs, performance.now() - sentAt))
        } catch (error) {
          // The true answer may still come.
          if (error instanceof AteError) problem = error
        }
      })
      // Connected: only what comes from there is taken.
      whenConnected(socket, { port, address: host }, reject, () => {
        machineMs = Date.now()
        sentAt = performance.now()
        socket.send(request(nonce))
      })
    })
  } finally {
    clearTimeout(timer)
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
  }
}

function request(nonce: Uint8Array): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES)
  packet[0] = VERSION_4_CLIENT
  packet.set(nonce, AT_SENT)
  return packet
}

/** What an answer says, for a request of `machineMs`, `elapsedMs` before it came. BAD_FORMAT. */
export function readAnswer(packet: Buffer, nonce: Uint8Array, machineMs: number, elapsedMs: number): TimeSample {
  const bad = (what: string): AteError => new AteError('BAD_FORMAT', `The answer of a time server ${what}.`)
  if (packet.length < PACKET_BYTES) throw bad('is too short')
  const [flags = 0, stratum = 0] = packet
  if ((flags & 7) !== SERVER) throw bad('is none')
  if (!packet.subarray(AT_ORIGIN, AT_ORIGIN + 8).equals(nonce)) throw bad('is to another question')
  if (flags >> 6 === NOT_SYNCHRONIZED || stratum === 0 || stratum > MAX_STRATUM) throw bad('says that it does not know')
  if (packet.readBigUInt64BE(AT_SENT) === 0n) throw bad('has no time')
  const received = timeAt(packet, AT_RECEIVED, machineMs)
  const sent = timeAt(packet, AT_SENT, machineMs)
  const roundTripMs = elapsedMs - (sent - received)
  // Fractions of milliseconds: the machine's own time has none.
  if (sent < received || roundTripMs < -1) throw bad('was on its way for less than no time')
  if (Math.abs(Date.now() - machineMs - elapsedMs) > MAX_STEP_MS) throw bad('came while the clock was set')
  return {
    offsetMs: (received - machineMs + (sent - machineMs - elapsedMs)) / 2,
    roundTripMs: Math.max(0, roundTripMs),
  }
}

/** Milliseconds since 1970: of the times of this spelling, which comes again every 136 years, the one next to `near`. */
function timeAt(packet: Buffer, at: number, near: number): number {
  const seconds = packet.readUInt32BE(at) - SECONDS_BEFORE_1970
  const ms = (seconds + packet.readUInt32BE(at + 4) / 2 ** 32) * 1000
  return ms + Math.round((near - ms) / ERA_MS) * ERA_MS
}
