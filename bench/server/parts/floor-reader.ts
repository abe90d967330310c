/** Opens and verifies every message. */
import { bePart, seconds } from '../program.js'
import { CHAIN_KEY, dialFloor, Frames, itemBytes, openItem } from './floor-frames.js'

await bePart(async ({ address, count, warmUp, bytes }) => {
  const socket = await dialFloor(`${address}/reader`)
  const frames = new Frames()
  const each = itemBytes(bytes)
  let came = 0
  const done = new Promise<void>((resolve) =>
    socket.on('message', (frame: Buffer) => {
      const batch = frames.open(frame)
      for (let at = 0; at < batch.length; at += each) {
        openItem(CHAIN_KEY, batch.subarray(at, at + each))
        came++
      }
      if (came === warmUp + count) resolve()
    }),
  )
  return async () => {
    const startMs = performance.now()
    await done
    return { seconds: seconds(startMs) }
  }
})
