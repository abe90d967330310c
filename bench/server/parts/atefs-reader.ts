/** A program that has the chain open and is told of every message. */
import { bePart, seconds } from '../program.js'
import { Message, nowMs, openChain } from './open-chain.js'

await bePart(async (options) => {
  const { chain } = await openChain(options)
  const events = chain.dio().subscribeToRoots(Message)
  return async () => {
    let startMs = performance.now()
    let left = options.warmUp
    const delays: number[] = []
    for await (const event of events) {
      if (event.kind === 'deleted') continue
      if (left > 0) {
        if (--left === 0) startMs = performance.now()
        continue
      }
      const { data } = event.dao
      delays.push(nowMs() - new DataView(data.buffer, data.byteOffset).getFloat64(0, true))
      if (delays.length === options.count) break
    }
    return { seconds: seconds(startMs), delays }
  }
})
