/** What records of objects refer to: a body that is forgotten here would be lost in a compaction. */
import t from 'tap'
import { type ObjectRecord, encodeObject, TOMBSTONE } from '../../../src/engine/dio/object-record.js'
import * as kinds from '../../../src/engine/dio/kinds.js'
import { findReferences } from '../../../src/engine/dio/references.js'

const record: ObjectRecord = {
  createdAt: 1,
  updatedAt: 2,
  revision: 1,
  parent: undefined,
  type: 'T',
  links: new Map(),
  indexed: [],
  rules: undefined,
  sealedBy: undefined,
  labels: new Map(),
  transforms: undefined,
  data: new Uint8Array(3),
}

function bodiesOf(kind: number, value: Uint8Array): number[] | undefined {
  const bodies: number[] = []
  return findReferences({ kind, high: 1, low: 1, value }, (body) => bodies.push(body)) ? bodies : undefined
}

t.test('an object refers to the bodies of its fields', (t) => {
  t.same(bodiesOf(kinds.OBJECT_KIND, encodeObject(record)), [])
  const slice = { offset: 0, length: 9 }
  const data = [7, 2 ** 40, 9].map((body) => ({ body, ...slice }))
  t.same(bodiesOf(kinds.OBJECT_KIND, encodeObject({ ...record, data })), [7, 2 ** 40, 9])
  t.same(bodiesOf(kinds.OBJECT_KIND, TOMBSTONE), [])
  t.throws(() => bodiesOf(kinds.OBJECT_KIND, Uint8Array.of(9, 9)), { code: 'BAD_FORMAT' })
  t.end()
})

t.test('all kinds of records of objects are known, and no others', (t) => {
  const known = Object.values(kinds).filter((kind) => typeof kind === 'number')
  for (const kind of known) if (kind !== kinds.OBJECT_KIND) t.same(bodiesOf(kind, new Uint8Array(1)), [], `${kind}`)
  for (const kind of [0, 1, 16, 31, Math.max(...known) + 1]) t.equal(bodiesOf(kind, new Uint8Array(1)), undefined)
  t.end()
})
