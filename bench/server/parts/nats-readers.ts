/** Connections that get every message: one of them subscribes; of many each is a consumer of the stream. */
import { bePart, seconds } from '../program.js'
import { NatsMessages, natsRequest, natsSession } from './nats-session.js'

/** Resolves when it listens; `done` when everything has come. */
async function read(port: number, count: number, consumer: string | undefined): Promise<{ done: Promise<void> }> {
  const socket = await natsSession(port)
  const messages = new NatsMessages()
  if (consumer !== undefined) {
    const config = { deliver_subject: consumer, ack_policy: 'none', deliver_policy: 'all' }
    await natsRequest(socket, '$JS.API.CONSUMER.CREATE.load', { stream_name: 'load', config })
  }
  const done = new Promise<void>((resolve) =>
    socket.on('data', (data: Buffer) => {
      messages.add(data)
      if (messages.count >= count) resolve()
    }),
  )
  socket.write(`SUB ${consumer ?? 'load'} 1\r\n`)
  return { done }
}

await bePart(async ({ address, count, warmUp, subscribers }) => {
  const readers: { done: Promise<void> }[] = []
  for (let i = 0; i < subscribers; i++)
    readers.push(await read(Number(address), warmUp + count, subscribers === 1 ? undefined : `consumer.${i}`))
  return async () => {
    const startMs = performance.now()
    await Promise.all(readers.map(({ done }) => done))
    return { seconds: seconds(startMs) }
  }
})
