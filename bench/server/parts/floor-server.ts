/** Checks digests, writes and syncs each batch, and passes it on: the least that a server of sealed messages does. */
import { closeSync, fdatasync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { PartOptions } from '../program.js'
import { checkItem, Frames, itemBytes } from './floor-frames.js'

// What `startFloor` gave it.
const { directory = '.', count, warmUp, bytes } = JSON.parse(process.argv[2] ?? '{}') as PartOptions
const each = itemBytes(bytes)
const file = openSync(join(directory, 'log'), 'w')
// Space that is there and written once is synced faster: atedb has that, too.
const zeros = new Uint8Array(1024 * each)
for (let at = 0; at < (warmUp + count) * each; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at)
fsyncSync(file)
const readers = new Map<WebSocket, Frames>()
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
let end = 0

server.on('connection', (socket, { url }) => {
  const [there, back] = [new Frames(), new Frames()]
  if (url === '/reader') readers.set(socket, back)
  socket.on('message', (frame: Buffer) => {
    const batch = there.open(frame)
    for (let at = 0; at < batch.length; at += each) checkItem(batch.subarray(at, at + each))
    writeSync(file, batch, 0, batch.length, end)
    end += batch.length
    fdatasync(file, (error) => {
      if (error !== null) throw error
      socket.send(back.seal(new Uint8Array(8)))
      for (const [reader, frames] of readers) reader.send(frames.seal(batch))
    })
  })
})
server.on('listening', () => {
  // It listens on a port.
  process.send?.((server.address() as AddressInfo).port)
})
process.on('SIGTERM', () => {
  closeSync(file)
  process.exit()
})
