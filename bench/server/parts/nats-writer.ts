/** Publishes to a JetStream file stream, so many at once, and waits for the acknowledgements. */
import { bePart, seconds } from '../program.js'
import { NatsMessages, natsRequest, natsSession } from './nats-session.js'

await bePart(async ({ address, count, warmUp, bytes, inFlight }) => {
  const socket = await natsSession(Number(address))
  const stream = { name: 'load', subjects: ['load'], storage: 'file', retention: 'limits' }
  await natsRequest(socket, '$JS.API.STREAM.CREATE.load', stream)
  socket.write('SUB inbox 1\r\n')
  const message = `PUB load inbox ${bytes}\r\n${'x'.repeat(bytes)}\r\n`
  const acknowledged = new NatsMessages()
  let sent = 0
  const publishTo = (end: number): Promise<void> =>
    new Promise((resolve) => {
      const fill = (): void => {
        const room = Math.min(inFlight - (sent - acknowledged.count), end - sent)
        if (room <= 0) return
        sent += room
        socket.write(message.repeat(room))
      }
      const take = (data: Buffer): void => {
        acknowledged.add(data)
        if (acknowledged.count < end) fill()
        else {
          socket.off('data', take)
          resolve()
        }
      }
      socket.on('data', take)
      fill()
    })
  return async () => {
    if (warmUp > 0) await publishTo(warmUp)
    const startMs = performance.now()
    await publishTo(warmUp + count)
    return { seconds: seconds(startMs) }
  }
})
