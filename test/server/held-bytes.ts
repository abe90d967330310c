/** What one connection may make a server hold. */
import t from 'tap'
import { HeldBytes } from '../../src/server/held-bytes.js'
import { ServerMemory } from '../../src/server/server-memory.js'

t.test('parts beyond the bound are refused; what waits to be written keeps reading waiting', async (t) => {
  const held = new HeldBytes(100, new ServerMemory({ heldBytes: 1e9, unsentBytes: 0, graceMs: 10_000 }), 1000)
  held.assemble(900)
  t.throws(() => held.assemble(200), { code: 'BATCH_REFUSED' })
  held.forget(300)
  held.assemble(200)
  t.equal(held.room(), undefined)
  held.bring(800)
  held.assemble(1000)
  const room = held.room()
  t.type(room, Promise)
  held.taken(700)
  await room
  t.equal(held.room(), undefined)
})

t.test('what all connections bring together is bounded, and each lets go of its own', async (t) => {
  const server = new ServerMemory({ heldBytes: 1000, unsentBytes: 0, graceMs: 10_000 })
  const [one, other] = [new HeldBytes(1000, server), new HeldBytes(1000, server)]
  one.assemble(700)
  t.throws(() => other.assemble(400), { code: 'LAGGED' })
  other.assemble(100)
  one.bring(700)
  t.throws(() => other.assemble(201), { code: 'LAGGED' }, 'it is not written yet')
  one.taken(700)
  other.assemble(700)
  other.forget(800)
  one.assemble(1000)
})

t.test('once more than half is used, one of several connections has an eighth', async (t) => {
  const server = new ServerMemory({ heldBytes: 800, unsentBytes: 0, graceMs: 10_000 })
  const connections = Array.from({ length: 5 }, () => new HeldBytes(1000, server))
  const [large, ...others] = connections
  large?.assemble(500)
  for (const [i, other] of others.entries())
    if (i < 3) {
      t.throws(() => other.assemble(101), { code: 'LAGGED' })
      other.assemble(100)
    }
  t.throws(() => large?.assemble(1), { code: 'LAGGED' })
  t.throws(() => others[3]?.assemble(1), { code: 'LAGGED' }, 'that is all of it')
})

t.test('the more connections there are, the less waits for each that reads slowly', async (t) => {
  const server = new ServerMemory({ heldBytes: 0, unsentBytes: 512 * 1024 * 1024, graceMs: 10_000 })
  const bytes = [1, 512, 2048, 8192, 100_000].map((connections) => {
    server.connections = connections
    return server.eagerBytes / 1024
  })
  t.strictSame(bytes, [512, 512, 128, 32, 32])
})
