/** Sends sealed messages, so many at once, and waits for the server to have synced them. */
import { randomFillSync } from 'node:crypto'
import { bePart, seconds } from '../program.js'
import { CHAIN_KEY, dialFloor, Frames, itemBytes, sealItem } from './floor-frames.js'

await bePart(async ({ address, count, warmUp, bytes, inFlight }) => {
  const socket = await dialFloor(`${address}/writer`)
  const [there, back] = [new Frames(), new Frames()]
  const content = randomFillSync(new Uint8Array(bytes))
  const each = itemBytes(bytes)
  let answered: () => void = () => undefined
  socket.on('message', (frame: Buffer) => {
    back.open(frame)
    answered()
  })
  const send = async (total: number): Promise<void> => {
    for (let sent = 0; sent < total;) {
      const items = Math.min(inFlight, total - sent)
      const batch = new Uint8Array(items * each)
      for (let i = 0; i < items; i++) sealItem(CHAIN_KEY, content.slice(), batch, i * each)
      const answer = new Promise<void>((resolve) => (answered = resolve))
      socket.send(there.seal(batch))
      await answer
      sent += items
    }
  }
  return async () => {
    await send(warmUp)
    const startMs = performance.now()
    await send(count)
    return { seconds: seconds(startMs) }
  }
})
