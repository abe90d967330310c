/** A time server for tests, on this machine. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import type { TimeServer } from '../../src/adapters/node/sntp.js'

const SECONDS_BEFORE_1970 = 2_208_988_800
export type Respond = (request: Buffer) => Buffer | Buffer[] | undefined

/** A server that answers as it is told, and how often it was asked. */
export async function timeServer(t: Test, respond: Respond): Promise<TimeServer & { asked: () => number }> {
  const socket = createSocket('udp4')
  let asked = 0
  socket.on('message', (request, from) => {
    asked++
    for (const answer of [respond(request) ?? []].flat()) socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { host: '127.0.0.1', port: socket.address().port, asked: () => asked }
}

export function writeTime(packet: Buffer, at: number, ms: number): void {
  const seconds = Math.floor(ms / 1000)
  packet.writeUInt32BE((seconds + SECONDS_BEFORE_1970) % 2 ** 32, at)
  packet.writeUInt32BE(Math.floor(((ms / 1000) % 1) * 2 ** 32), at + 4)
}

/** What a server says whose clock is ahead by so much, and what is wrong with it. */
export function answer(request: Buffer, aheadMs = 0, change: (packet: Buffer) => void = () => undefined): Buffer {
  const packet = Buffer.alloc(48)
  packet[0] = 0x24
  packet[1] = 2
  request.copy(packet, 24, 40, 48)
  writeTime(packet, 32, Date.now() + aheadMs)
  writeTime(packet, 40, Date.now() + aheadMs)
  change(packet)
  return packet
}
