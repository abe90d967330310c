/**
 * Publish and subscribe between two processes, over a chain that a server keeps.
 *
 *     npm run example remote-bus
 */
import { dataType, plain, Registry, vecOf } from 'atefs'
import { inTwoProcesses } from './helpers/two-processes.js'

const Message = dataType('Message', plain<{ text: string }>())
const Room = dataType('Room', plain<{ topic: string }>(), { links: { messages: vecOf(Message) } })

await inTwoProcesses(
  async ({ url, config, startOther }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(url, 'chat')
    const { key } = await chain.transact((dio) => dio.store({ topic: 'Weather' }, { type: Room }))
    const { messages } = await chain.dio().load(Room, key)
    // Whoever commits it, here or elsewhere: each event comes once, in the order of the commits.
    const events = messages.subscribe()
    const other = startOther()
    for await (const event of events) {
      if (event.kind === 'deleted') break
      console.log(`the first sees: ${event.dao.text} (${event.kind})`)
    }
    await other
  },
  async ({ url, config }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(url, 'chat')
    for await (const { key } of chain.dio().roots(Room)) {
      const sent = await chain.transact(async (dio) => (await dio.load(Room, key)).messages.push({ text: 'It rains.' }))
      await chain.transact(async (dio) => void ((await dio.load(Message, sent.key)).text = 'It rains no more.'))
      await chain.transact((dio) => dio.delete(sent.key))
    }
  },
)
