/** Where bodies lie, remembered in a few numbers each: exactly, or not at all. */
import fc from 'fast-check'
import t from 'tap'
import { KnownPlaces } from '../../../src/engine/chain/known-places.js'

const place = fc.record({
  body: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  random: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  segment: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  position: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  storedBytes: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
})

t.test('a place comes back as it was, or is not known', (t) => {
  fc.assert(
    fc.property(place, (given) => {
      const known = new KnownPlaces()
      known.note(given)
      const found = known.get(given.body)
      t.same(found, given.segment < 2 ** 21 ? given : undefined)
    }),
  )
  t.end()
})

t.test('bodies that share a slot are not taken for each other', (t) => {
  const known = new KnownPlaces()
  const one = { body: 5, random: 1, segment: 2, position: 3, storedBytes: 4 }
  const other = { ...one, body: 5 + 131_072, position: 300 }
  known.note(one)
  t.equal(known.get(other.body), undefined)
  known.note(other)
  t.equal(known.get(one.body), undefined)
  t.same(known.get(other.body), other)
  t.end()
})

t.test('there is no body 0', (t) => {
  t.equal(new KnownPlaces().get(0), undefined)
  t.end()
})
