/** What writers bring: who waits until it is durable waits for what was brought before, whatever others bring meanwhile. */
import t from 'tap'
import { AteError } from '../../src/engine/error.js'
import type { ReceivedBatch } from '../../src/engine/log/index.js'
import { Uploads } from '../../src/server/uploads.js'

/** A log that takes a moment for everything; `fails`: it never becomes durable. */
function uploads({ fails = false } = {}) {
  const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))
  const log = {
    head: { sequence: 0, digest: new Uint8Array(32) },
    durableSequence: 0,
    async receive() {
      await later()
      log.head = { ...log.head, sequence: log.head.sequence + 1 }
      return [{ sequence: log.head.sequence }] as ReceivedBatch[]
    },
    async reachDurable() {
      const { sequence } = log.head
      await later()
      if (fails) throw new AteError('WRITE_FAILED', 'The disk is gone.')
      log.durableSequence = sequence
    },
  }
  const all = new Uploads({ log, maxBytes: 1000, onDurable: () => undefined, onFailure: () => undefined })
  const by = { refused: () => undefined }
  const bring = (onTaken: () => void = () => undefined): void =>
    void all.add({ run: [], bytes: 1, term: 1, by, onTaken })
  return { all, log, bring }
}

t.test('it is waited for what was brought before, not for a stream that does not end', async (t) => {
  const { all, log, bring } = uploads()
  let isOver = false
  const more = (): void => (isOver ? undefined : bring(more))
  for (let i = 0; i < 3; i++) bring(more)
  await all.settled()
  t.ok(log.durableSequence >= 3)
  await all.settled()
  isOver = true
  await all.settled()
  t.equal(log.durableSequence, log.head.sequence)
})

t.test('nobody waits for what is refused', async (t) => {
  const { all, bring } = uploads({ fails: true })
  for (let i = 0; i < 5; i++) bring()
  await all.settled()
  bring()
  await all.settled()
  t.pass('over')
})
