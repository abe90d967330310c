/** Publishes to a JetStream file stream, so many at once, and waits for the acknowledgements. */
import { bePart, seconds } from '../program.js'
import { NatsMessages, natsRequest, natsSession } from './nats-session.js'

await bePart(async ({ address, count, bytes, inFlight }) => {
  const socket = await natsSession(Number(address))
  const stream = { name: 'load', subjects: ['load'], storage: 'file', retention: 'limits' }
  await natsRequest(socket, '$JS.API.STREAM.CREATE.load', stream)
  socket.write('SUB inbox 1\r\n')
  const message = `PUB load inbox ${bytes}\r\n${'x'.repeat(bytes)}\r\n`
  return async () => {
    const startMs = performance.now()
    const acknowledged = new NatsMessages()
    let sent = 0
    await new Promise<void>((resolve) => {
      const fill = (): void => {
        const room = Math.min(inFlight - (sent - acknowledged.count), count - sent)
        if (room <= 0) return
        sent += room
        socket.write(message.repeat(room))
      }
      socket.on('data', (data: Buffer) => {
        acknowledged.add(data)
        if (acknowledged.count >= count) resolve()
        else fill()
      })
      fill()
    })
    return { seconds: seconds(startMs) }
  }
})
