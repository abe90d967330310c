/**
 * Moves the fields of objects out of bodies of which little is left. Nobody sees a difference: it is no change of an object, and
 * no transaction conflicts with it. But who began before still refers to the old bodies, in what he may commit.
 */
import { moveSlice } from '../chain/compaction/repack.js'
import type { Repack } from '../chain/compaction/rewrite-work.js'
import type { BodySlice, RecordView } from '../chain/record-view.js'
import type { RecordKey } from '../index/record-key.js'
import { OBJECT_KIND } from './kinds.js'
import { decodeObject, encodeObject } from './object-record.js'

/** `onMove` is called before each record that says where its fields lie now, `onDrop` before one that nobody needs is deleted. */
export function repackObjects(view: RecordView, onMove: () => void, onDrop: (key: RecordKey) => void): Repack {
  return async ({ records, bodies, unused }) => {
    for (const key of unused) {
      onDrop(key)
      view.delete(key.kind, key.high, key.low)
    }
    for (const { kind, high, low } of records) {
      const value = kind === OBJECT_KIND ? view.get(kind, high, low) : undefined
      const moved = value === undefined ? undefined : movedObject(view, value, bodies)
      if (moved === undefined) continue
      onMove()
      view.put(kind, high, low, moved)
    }
    await view.commit()
  }
}

/** Undefined when nothing of it is to be moved. */
function movedObject(view: RecordView, value: Uint8Array, bodies: ReadonlySet<number>): Uint8Array | undefined {
  const record = decodeObject(value)
  if (record === undefined || record.data instanceof Uint8Array) return undefined
  if (!record.data.some(({ body }) => bodies.has(body))) return undefined
  const bytes = record.data.reduce((sum, slice) => sum + slice.length, 0)
  const move = (slice: BodySlice): BodySlice =>
    (bodies.has(slice.body) ? moveSlice(view, slice, bytes) : undefined) ?? slice
  return encodeObject({ ...record, data: record.data.map(move) })
}
