/** Memory of large batches: used again when it was given back, and only what was lent. */
import t from 'tap'
import { newBatchMemory } from '../../src/server/batch-memory.js'

const MIB = 1024 * 1024

t.test('what was given back is lent again to a batch that fits, and to one at a time', async (t) => {
  const memory = newBatchMemory()
  const first = memory.take(3 * MIB)
  memory.giveBack(first.subarray(16, 100))
  memory.giveBack(first.subarray(16, 100))
  const [second, third] = [memory.take(2 * MIB), memory.take(2 * MIB)]
  t.equal(second.buffer, first.buffer)
  t.not(third.buffer, first.buffer)
  t.equal(second.length, 2 * MIB)
  memory.giveBack(second)
  t.not(memory.take(MIB).buffer, first.buffer, 'not to one that is much smaller')
})

t.test('what it has not lent it does not keep', async (t) => {
  const memory = newBatchMemory()
  const other = new Uint8Array(MIB)
  memory.giveBack(other.subarray(16))
  t.not(memory.take(MIB).buffer, other.buffer)
})

t.test('it keeps no more than what two commits of a mount take', async (t) => {
  const memory = newBatchMemory()
  const lent = Array.from({ length: 8 }, () => memory.take(8 * MIB))
  for (const head of lent) memory.giveBack(head)
  const again = Array.from({ length: 8 }, () => memory.take(8 * MIB))
  t.equal(again.filter(({ buffer }) => lent.some((one) => one.buffer === buffer)).length, 2)
})
