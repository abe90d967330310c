/** What is pushed to many. */
import t from 'tap'
import { Peer, SharedPush } from '../../src/sync/index.js'
import { FORMATS } from '../../src/wire/format.js'
import { connected, settled } from '../helpers/wire.js'

const body = { bytes: new Uint8Array(40_000).fill(7), more: false, term: 0 }

t.test('it arrives as one that was pushed', async (t) => {
  const { client, server } = await connected()
  const [receiver, sender] = [new Peer(client), new Peer(server)]
  const arrived: unknown[] = []
  receiver.listen(3, { pushes: { batch: (part) => void arrived.push(part) } })
  sender.push(3, 'batch', body)
  sender.pushShared(3, new SharedPush('batch', body))
  await settled()
  t.equal(arrived.length, 2)
  t.strictSame(arrived[0], body)
  t.strictSame(arrived[1], body)
  await receiver.close()
})

t.test(
  'it is encoded no more than twice for each format and channel while it is shared, and kept by nobody after',
  async (t) => {
    const [pack, json] = FORMATS
    if (pack === undefined || json === undefined) throw new Error('two formats')
    const push = new SharedPush('batch', body)
    const first = push.encodedFor(pack, 1).slice()
    const encoded = push.encodedFor(pack, 1)
    t.strictSame(encoded, first)
    t.equal(push.encodedFor(pack, 1), encoded)
    t.not(push.encodedFor(pack, 2), encoded)
    t.not(push.encodedFor(json, 1), encoded)
    push.endSharing()
    t.not(push.encodedFor(pack, 1), encoded)
    t.strictSame(push.encodedFor(pack, 1), encoded)
  },
)
