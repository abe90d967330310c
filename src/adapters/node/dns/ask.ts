/** Asks DNS servers: by UDP, and by TCP what does not fit (RFC 7766). Bounded waits, each server twice. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6, Socket } from 'node:net'
import { AteError } from '../../../engine/error.js'
import { whenConnected } from '../connect-datagrams.js'
import type { DnsServer } from './dns-server.js'
import { decodeAnswer, type DnsAnswer, type DnsQuestion, encodeQuestion } from './packets.js'

export interface AskOptions {
  servers: readonly DnsServer[]
  /** Of all together; the default is 5 seconds. */
  timeoutMs?: number | undefined
  /** ABORTED. */
  signal?: AbortSignal | undefined
}

const MAX_SERVERS = 3
const ROUNDS = 2
const DEFAULT_TIMEOUT_MS = 5000
/** A length before it: RFC 1035, 4.2.2. */
const PREFIX_BYTES = 2
const MAX_ID = 0x1_0000

/** The answer of the first server that has one. TIMED_OUT, CONNECTION_FAILED, ABORTED. */
export async function askDns(question: DnsQuestion, options: AskOptions): Promise<DnsAnswer> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options
  const servers = options.servers.slice(0, MAX_SERVERS)
  let problem = new AteError('CONNECTION_FAILED', 'There is no DNS server to ask.')
  const eachMs = timeoutMs / (ROUNDS * Math.max(1, servers.length))
  for (let round = 0; round < ROUNDS; round++)
    for (const server of servers)
      try {
        return await askServer(question, server, AbortSignal.timeout(eachMs), signal)
      } catch (error) {
        if (signal?.aborted === true) throw new AteError('ABORTED', 'The name is not asked for any more.')
        problem = problemOf(error, server)
      }
  throw problem
}

async function askServer(
  question: DnsQuestion,
  server: DnsServer,
  timeout: AbortSignal,
  signal: AbortSignal | undefined,
): Promise<DnsAnswer> {
  const ending = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  const answer = await byUdp(question, server, ending)
  return answer.isCut ? await byTcp(question, server, ending) : answer
}

/** Random number and port: who does not see the question would have to guess both. */
function byUdp(question: DnsQuestion, { address, port }: DnsServer, ending: AbortSignal): Promise<DnsAnswer> {
  const id = randomInt(MAX_ID)
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return untilEnd<DnsAnswer>(ending, (resolve, reject) => {
    socket.on('error', reject)
    socket.on('message', (bytes) => {
      try {
        const answer = decodeAnswer(bytes, id, question)
        if (answer !== undefined) resolve(answer)
      } catch (error) {
        reject(error)
      }
    })
    // Connected: only what comes from there is taken.
    whenConnected(socket, { port, address }, reject, () => socket.send(encodeQuestion(id, question)))
  }).finally(() => socket.close())
}

function byTcp(question: DnsQuestion, { address, port }: DnsServer, ending: AbortSignal): Promise<DnsAnswer> {
  const id = randomInt(MAX_ID)
  const socket = new Socket()
  return untilEnd<DnsAnswer>(ending, (resolve, reject) => {
    let received = Buffer.alloc(0)
    socket.on('error', reject)
    socket.on('close', () => reject(new AteError('CONNECTION_FAILED', 'The DNS server has hung up.')))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const end = received.length < PREFIX_BYTES ? Infinity : PREFIX_BYTES + received.readUInt16BE()
      if (received.length < end) return
      try {
        const answer = decodeAnswer(received.subarray(PREFIX_BYTES, end), id, question)
        if (answer === undefined || answer.isCut) throw new AteError('BAD_FORMAT', 'The DNS server gives no answer.')
        resolve(answer)
      } catch (error) {
        reject(error)
      }
    })
    socket.connect(port, address, () => {
      const bytes = encodeQuestion(id, question)
      const prefix = Buffer.alloc(PREFIX_BYTES)
      prefix.writeUInt16BE(bytes.length)
      socket.write(Buffer.concat([prefix, bytes]))
    })
  }).finally(() => socket.destroy())
}

function untilEnd<T>(
  ending: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(new AteError('TIMED_OUT', 'The DNS server does not answer.'))
    ending.addEventListener('abort', end, { once: true })
    begin(
      (value) => {
        ending.removeEventListener('abort', end)
        resolve(value)
      },
      (error) => {
        ending.removeEventListener('abort', end)
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
    if (ending.aborted) end()
  })
}

function problemOf(error: unknown, { address }: DnsServer): AteError {
  if (error instanceof AteError) return error
  const why = error instanceof Error ? error.message : 'unexpected'
  return new AteError('CONNECTION_FAILED', `The DNS server ${address} cannot be asked: ${why}.`, { cause: error })
}
