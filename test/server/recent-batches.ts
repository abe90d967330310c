/** What is kept of the latest batches of a chain: what fits, without a gap, and nothing else. */
import t from 'tap'
import { type BatchToSend, RecentBatches } from '../../src/server/recent-batches.js'

function batch(sequence: number, bytes: number): BatchToSend {
  const all = { bytes, parts: [] }
  return { sequence, all, none: all }
}

t.test('the latest that fit are there, and what comes behind one that does not', async (t) => {
  const recent = new RecentBatches(1000)
  for (let sequence = 5; sequence <= 100; sequence++) recent.add(batch(sequence, 100))
  for (let sequence = 1; sequence <= 110; sequence++) {
    const isKept = sequence > 90 && sequence <= 100
    if (recent.get(sequence)?.sequence !== (isKept ? sequence : undefined)) t.fail(`${sequence}`)
  }
  recent.add(batch(101, 5000))
  t.equal(recent.get(101), undefined, 'one that does not fit')
  recent.add(batch(102, 100))
  t.equal(recent.get(102)?.sequence, 102)
})

t.test('none is left when they are forgotten, and the next one is the first', async (t) => {
  const recent = new RecentBatches(1000)
  for (let sequence = 1; sequence <= 5; sequence++) recent.add(batch(sequence, 100))
  recent.clear()
  t.equal(recent.get(5), undefined)
  for (let sequence = 20; sequence <= 40; sequence++) recent.add(batch(sequence, 100))
  t.equal(recent.get(30), undefined)
  t.equal(recent.get(31)?.sequence, 31)
})
