/** Packets of every size, whose memory is used again. */
import t from 'tap'
import { equalBytes } from '../../src/engine/bytes/equal.js'
import { connected } from '../helpers/wire.js'

await t.test(
  'large and small messages of both sides arrive as they were sent, however many are under way',
  async (t) => {
    const { client, server } = await connected()
    const message = (by: number, i: number): Uint8Array =>
      new Uint8Array(i % 3 === 0 ? 10 : (i * 7919) % 150_000).fill(by + i)
    const isMessage = (value: unknown, by: number, i: number): boolean =>
      value instanceof Uint8Array && equalBytes(value, message(by, i))
    const count = 60
    const exchange = async (from: typeof client, to: typeof client, by: number): Promise<void> => {
      const sending = (async () => {
        for (let i = 0; i < count; i++) {
          await from.ready(1_000_000)
          from.send(message(by, i))
        }
      })()
      let i = 0
      for await (const received of to) {
        t.ok(isMessage(received, by, i))
        if (++i === count) break
      }
      await sending
    }
    await Promise.all([exchange(client, server, 1), exchange(server, client, 100)])
    await client.close()
  },
)
