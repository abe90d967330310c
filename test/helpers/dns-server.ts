/** A small DNS server on loopback, by UDP and TCP, which answers from a table. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Test } from 'tap'
import {
  type Answer,
  AUTHENTIC_DATA,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from 'dns-packet'

export interface Zone {
  /** By name. */
  records: Record<string, Answer[]>
  /** Says that what it answers is validated. */
  isValidated?: boolean
  /** Answers by UDP are cut. */
  isCut?: boolean
  /** Says nothing at all. */
  isSilent?: boolean
  /** Sends these before each true answer. */
  before?: (question: Packet) => Uint8Array[]
  /** The code of all answers. */
  code?: number
}

export interface DnsForTests {
  /** As `--dns-server` takes it. */
  address: string
  zone: Zone
  /** `TYPE name` of what was asked. */
  asked: string[]
}

export async function dnsServer(t: Test, zone: Zone): Promise<DnsForTests> {
  const asked: string[] = []
  const made: DnsForTests = { address: '', zone, asked }
  const [udp, tcp] = await bindBoth()
  udp.on('message', (bytes, { port, address }) => {
    for (const answer of answersTo(made, bytes, made.zone.isCut === true)) udp.send(answer, port, address)
  })
  tcp.on('connection', (socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      for (const answer of answersTo(made, bytes.subarray(2), false)) {
        const prefix = Buffer.alloc(2)
        prefix.writeUInt16BE(answer.length)
        // In two pieces: a stream has no packets.
        socket.write(Buffer.concat([prefix, answer.subarray(0, 5)]), () => socket.end(answer.subarray(5)))
      }
    })
  })
  t.teardown(() => {
    udp.close()
    tcp.close()
  })
  made.address = `127.0.0.1:${udp.address().port}`
  return made
}

/** The same port for both. */
async function bindBoth(): Promise<[DatagramSocket, Server]> {
  for (;;) {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const tcp = createServer()
    const listening = once(tcp, 'listening')
    tcp.listen(udp.address().port, '127.0.0.1')
    try {
      await listening
      return [udp, tcp]
    } catch {
      udp.close()
    }
  }
}

function answersTo({ zone, asked }: DnsForTests, bytes: Uint8Array, isCut: boolean): Uint8Array[] {
  const packet = decode(Buffer.from(bytes))
  const [question] = packet.questions ?? []
  if (question === undefined) return []
  asked.push(`${question.type} ${question.name}`)
  if (zone.isSilent === true) return []
  const all = zone.records[question.name.toLowerCase()]
  const answers = (all ?? []).filter(({ type }) => type === question.type || type === 'CNAME')
  // What an alias leads to comes with it.
  for (const answer of answers)
    if (answer.type === 'CNAME')
      answers.push(...(zone.records[answer.data] ?? []).filter(({ type }) => type === question.type))
  const code = zone.code ?? (all === undefined ? 3 : 0)
  const answer = encode({
    type: 'response',
    id: packet.id ?? 0,
    flags:
      RECURSION_AVAILABLE | (zone.isValidated === true ? AUTHENTIC_DATA : 0) | (isCut ? TRUNCATED_RESPONSE : 0) | code,
    questions: [question],
    answers: isCut ? [] : answers,
  })
  return [...(zone.before?.(packet) ?? []), answer]
}

export const a = (name: string, data: string): Answer => ({ type: 'A', name, data, ttl: 60 })
export const aaaa = (name: string, data: string): Answer => ({ type: 'AAAA', name, data, ttl: 60 })
export const txt = (name: string, ...data: string[]): Answer => ({ type: 'TXT', name, data, ttl: 60 })
export const alias = (name: string, data: string): Answer => ({ type: 'CNAME', name, data, ttl: 60 })
