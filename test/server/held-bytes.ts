/** What one connection may make a server hold. */
import t from 'tap'
import { HeldBytes } from '../../src/server/held-bytes.js'

t.test('parts beyond the bound are refused; what waits to be written keeps reading waiting', async (t) => {
  const held = new HeldBytes(100, 1000)
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
