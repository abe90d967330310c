/** Messages on their way out, where the transport calls back before `send` returns. */
import t from 'tap'
import { byteLength, concatBytes } from '../../src/engine/bytes/concat.js'
import { SHARED_FRAME_BYTES } from '../../src/wire/limits.js'
import { Outbox } from '../../src/wire/outbox.js'
import { decodePayload } from '../../src/wire/payload.js'
import { AteError } from '../../src/engine/error.js'
import { ManualTimers } from '../helpers/wire.js'

const large = (first: number): Uint8Array => new Uint8Array(SHARED_FRAME_BYTES).fill(first)
const small = (first: number): Uint8Array => new Uint8Array(100).fill(first)

/** The first bytes of the messages, as they went out; `onFrame` is called in the middle of sending a frame. */
function outboxOn(onFrame: (outbox: Outbox, count: number) => void): { outbox: Outbox; sent: number[] } {
  const sent: number[] = []
  let count = 0
  const outbox: Outbox = new Outbox({
    timers: new ManualTimers(),
    compression: undefined,
    maxBytes: 1024 * 1024,
    write: (pieces, written) => {
      const payload = decodePayload(concatBytes(...pieces), undefined)
      if (payload.kind === 'messages') sent.push(...payload.messages.map(([first = 0]) => first))
      onFrame(outbox, ++count)
      written(byteLength(pieces))
      return byteLength(pieces)
    },
  })
  return { outbox, sent }
}

await t.test('what is written at once is held no more', async (t) => {
  const { outbox } = outboxOn(() => undefined)
  for (let i = 0; i < 100; i++) outbox.push(large(i))
  t.equal(outbox.unsentBytes, 0)
  await outbox.ready(0)
})

await t.test('what is sent while a frame is sent goes behind all that was sent before', async (t) => {
  const { outbox, sent } = outboxOn((outbox, count) => {
    if (count === 1) outbox.push(large(4))
  })
  outbox.push(small(1))
  outbox.push(small(2))
  outbox.push(large(3))
  outbox.flush()
  t.same(sent, [1, 2, 3, 4])
  t.equal(outbox.unsentBytes, 0)
})

await t.test('what ends it while a frame is sent lets nothing more out', async (t) => {
  const reason = new AteError('CONNECTION_LOST', 'It is over.')
  const { outbox, sent } = outboxOn((outbox) => outbox.end(reason))
  outbox.push(small(1))
  outbox.push(large(2))
  t.same(sent, [1])
  t.throws(() => outbox.push(small(3)), { code: 'CONNECTION_LOST' })
  t.equal(outbox.unsentBytes, 0)
})
