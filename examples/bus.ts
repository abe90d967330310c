/**
 * Publish and subscribe: whoever subscribes to a collection is told of every commit that changes it.
 *
 *     npm run example bus
 */
import { AteConfig, ChainBuilder, dataType, plain, type Subscription, vecOf } from 'atefs'

const Message = dataType('Message', plain<{ from: string; text: string }>())
const Room = dataType('Room', plain<{ topic: string }>(), { links: { messages: vecOf(Message) } })

await using chain = await new ChainBuilder(AteConfig.default()).open('chat')

const { key } = await chain.transact((dio) => dio.store({ topic: 'Weather' }, { type: Room }))

async function listen(name: string, events: Subscription<typeof Message>): Promise<void> {
  for await (const event of events) {
    if (event.kind === 'deleted') console.log(`${name} sees a message go`)
    else console.log(`${name} sees ${event.dao.from}: ${event.dao.text} (${event.kind})`)
  }
  console.log(`${name} leaves`)
}

// Each subscription is told of everything from now on, in the order of the commits, once it is durable.
const { messages } = await chain.dio().load(Room, key)
const listening = [listen('Eve', messages.subscribe()), listen('Tom', messages.subscribe())]

// Publishing is storing.
const sent = await chain.transact(async (dio) => {
  const { messages } = await dio.load(Room, key)
  return messages.push({ from: 'Ann', text: 'It rains.' })
})
await chain.transact(async (dio) => {
  const message = await dio.load(Message, sent.key)
  message.text = 'It rains no more.'
})
await chain.transact((dio) => dio.delete(sent.key))

// The loops end with the chain, after the last event.
await chain.close()
await Promise.all(listening)
