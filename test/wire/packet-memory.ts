import t from 'tap'
import { newPacketMemory } from '../../src/wire/packet-memory.js'

t.test('what was given back is used for the next packet that fits, and for no larger one', async (t) => {
  const memory = newPacketMemory()
  const large = memory.take(512 * 1024)
  memory.giveBack(large)
  const larger = memory.take(512 * 1024 + 1)
  t.not(larger.buffer, large.buffer)
  const smaller = memory.take(300 * 1024)
  t.equal(smaller.buffer, large.buffer)
  t.equal(smaller.length, 300 * 1024)
  t.not(memory.take(300 * 1024).buffer, large.buffer, 'it is lent to one at a time')
  memory.giveBack(smaller)
  t.not(memory.take(200 * 1024).buffer, large.buffer, 'nor for one that is much smaller')
})

t.test('a small packet has memory of its own', async (t) => {
  const memory = newPacketMemory()
  const small = memory.take(1000)
  memory.giveBack(small)
  t.not(memory.take(1000).buffer, small.buffer)
})

t.test('what lies idle is bounded, and is enough for a batch that goes to many', async (t) => {
  const memory = newPacketMemory()
  const take = (bytes: number): Uint8Array[] => Array.from({ length: 100 }, () => memory.take(bytes))
  const reused = (bytes: number): number => {
    const before = take(bytes)
    const memories = new Set<unknown>(before.map(({ buffer }) => buffer))
    for (const packet of before) memory.giveBack(packet)
    return take(bytes).filter(({ buffer }) => memories.has(buffer)).length
  }
  t.equal(reused(1024 * 1024), 8)
  t.equal(reused(70_000), 100)
})
