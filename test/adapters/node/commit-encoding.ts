import t from 'tap'
import { CommitDecoder, CommitEncoder } from '../../../src/adapters/node/commit-encoding.js'
import { GROUP_CONTENT, GROUP_RECORDS } from '../../../src/engine/log/types.js'

const shared = (): Uint8Array => new Uint8Array(new SharedArrayBuffer(64))

await t.test('a commit arrives as it was sent, and its buffers travel once', (t) => {
  const encoder = new CommitEncoder()
  const decoder = new CommitDecoder()
  const [a, b] = [shared(), shared()]
  for (const transaction of [1, 2]) {
    const groups = [
      { kind: GROUP_CONTENT, number: 7, parts: [a.subarray(3, 9), b.subarray(0, 1), a.subarray(9, 10)] } as const,
      { kind: GROUP_RECORDS, number: 8, parts: [b.subarray(5, 64)] } as const,
    ]
    const message = encoder.encode({ transaction, isDurable: transaction === 2, groups })
    t.equal(message.added.length, transaction === 1 ? 2 : 0)
    a.fill(transaction)
    t.strictSame(decoder.decode(message), { transaction, isDurable: transaction === 2, groups, signers: [] })
  }
  t.end()
})

await t.test('more buffers than are remembered still arrive', (t) => {
  const encoder = new CommitEncoder()
  const decoder = new CommitDecoder()
  const buffers = Array.from({ length: 250 }, (_, i) => shared().fill(i))
  let dropped = 0
  for (let round = 0; round < 2; round++) {
    buffers.forEach((buffer, number) => {
      const message = encoder.encode({
        transaction: 1,
        isDurable: true,
        groups: [{ kind: 2, number, parts: [buffer] }],
      })
      dropped += message.dropped.length
      t.equal(decoder.decode(message).groups[0]?.parts[0]?.[0], number)
    })
  }
  t.ok(dropped > 300)
  t.end()
})
