/** What waits for a subscriber is bounded: in number, and in memory. */
import t from 'tap'
import { EventQueue } from '../../../src/engine/dio/event-queue.js'

const MiB = 1024 * 1024

t.test('who leaves too many bytes untaken gets them, then LAGGED', async (t) => {
  let isClosed = false
  const queue = new EventQueue<number, number>((raw) => Promise.resolve(raw), () => (isClosed = true)) // prettier-ignore
  for (let i = 0; i < 40; i++) queue.push(i, MiB)
  t.equal(isClosed, true, 'nothing more is wanted')
  const taken: number[] = []
  await t.rejects(
    async () => {
      for await (const event of queue) taken.push(event)
    },
    { code: 'LAGGED', message: /bytes/ },
  )
  t.strictSame(taken, Array.from({ length: 32 }, (_, i) => i)) // prettier-ignore
})

t.test('what is taken makes room', async (t) => {
  const queue = new EventQueue<number, number>((raw) => Promise.resolve(raw), () => undefined) // prettier-ignore
  for (let i = 0; i < 100; i++) {
    queue.push(i, 30 * MiB)
    t.equal((await queue.next()).value, i)
  }
})
