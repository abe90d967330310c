/** The chain as batches that come together leave it, one after another: what refers to bodies is counted once for each change. */
import t from 'tap'
import { BodyReferences } from '../../../src/engine/chain/compaction/body-references.js'
import { FIRST_USER_KIND, type FindReferences } from '../../../src/engine/chain/compaction/live-bodies.js'
import { StagedState } from '../../../src/engine/chain/staged-state.js'
import { MemoryRecordView } from '../../helpers/memory-record-view.js'

const NOTHING = { groups: [], dropped: [] }
const [KIND, HIGH, LAST] = [FIRST_USER_KIND, 0, 99]

t.test('references are right behind each batch, and no change is counted twice', (t) => {
  let looks = 0
  const find: FindReferences = ({ value }, found) => {
    looks++
    found(value[0] ?? 0, 1)
    return true
  }
  const below = new MemoryRecordView()
  const none = new BodyReferences(find)
  const state = new StagedState(
    new Proxy(below, {
      get: (target, name) => {
        const member: unknown = name === 'references' ? () => none : Reflect.get(target, name, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    }),
  )
  const put = (low: number, body: number): void =>
    state.take(NOTHING, [{ kind: KIND, high: HIGH, low, value: Uint8Array.of(body) }])
  for (let low = 0; low <= LAST; low++) {
    put(low, 7)
    t.equal(state.references(find).of(7), low + 1)
  }
  t.ok(looks <= 2 * (LAST + 1), `${looks} looks`)
  put(3, 8)
  t.strictSame([state.references(find).of(7), state.references(find).of(8)], [LAST, 1])
  state.take(NOTHING, [{ kind: KIND, high: HIGH, from: 0, to: 49 }])
  t.strictSame([state.references(find).of(7), state.references(find).of(8)], [50, 0])
  state.take(NOTHING, [{ kind: KIND, high: HIGH, low: 50, value: null }])
  t.equal(state.references(find).of(7), 49)
  t.end()
})
