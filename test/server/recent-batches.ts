/** What is kept of the latest batches of a chain: what fits, without a gap, and nothing else. */
import t from 'tap'
import { RecentBatches } from '../../src/server/recent-batches.js'

t.test('the latest that fit are there, and what comes behind one that does not', async (t) => {
  const recent = new RecentBatches(1000)
  for (let sequence = 5; sequence <= 100; sequence++) recent.add({ sequence, bytes: 100, parts: [] })
  for (let sequence = 1; sequence <= 110; sequence++) {
    const isKept = sequence > 90 && sequence <= 100
    if (recent.get(sequence)?.sequence !== (isKept ? sequence : undefined)) t.fail(`${sequence}`)
  }
  recent.add({ sequence: 101, bytes: 5000, parts: [] })
  t.equal(recent.get(101), undefined, 'one that does not fit')
  recent.add({ sequence: 102, bytes: 100, parts: [] })
  t.equal(recent.get(102)?.sequence, 102)
})
