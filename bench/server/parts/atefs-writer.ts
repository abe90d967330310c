/** Commits messages, each in a transaction of its own, so many at once, and waits for the server to have them. */
import { randomFillSync } from 'node:crypto'
import { bePart, seconds } from '../program.js'
import { Message, nowMs, openChain } from './open-chain.js'

await bePart(async (options) => {
  const { chain, session } = await openChain(options)
  const content = randomFillSync(new Uint8Array(options.bytes))
  const commit = async (): Promise<void> => {
    const data = content.slice()
    new DataView(data.buffer).setFloat64(0, nowMs(), true)
    const dio = chain.dioMut(session)
    dio.store({ data }, { type: Message })
    await dio.commit({ durability: 'server' })
  }
  await commit()
  const commitAll = async (count: number): Promise<void> => {
    let begun = 0
    const lane = async (): Promise<void> => {
      while (begun++ < count) await commit()
    }
    await Promise.all(Array.from({ length: options.inFlight }, lane))
  }
  return async () => {
    await commitAll(options.warmUp)
    const startMs = performance.now()
    await commitAll(options.count)
    return { seconds: seconds(startMs) }
  }
})
