import * as fc from 'fast-check'
import t from 'tap'
import { DirtyPieces } from '../../../../src/fs/vfs/content/dirty-pieces.js'
import { CHUNK_BYTES, chunkStart } from '../../../../src/fs/vfs/records/extent-record.js'
import { MemoryRecordView } from '../../../helpers/memory-record-view.js'

const SPAN = 3 * CHUNK_BYTES

/** Offsets near the edges of chunks, where mistakes live. */
const offset = fc.oneof(
  fc.integer({ min: 0, max: SPAN - 1 }),
  fc.integer({ min: CHUNK_BYTES - 20, max: CHUNK_BYTES + 20 }),
  fc.integer({ min: 0, max: 50 }),
)
const length = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: CHUNK_BYTES + 100 }))
const step = fc.record({ offset, length, isCut: fc.boolean(), fill: fc.integer({ min: 1, max: 255 }) })

t.test('holds exactly what was written and not cut', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pieces = new DirtyPieces()
      const view = new MemoryRecordView()
      const model = new Int16Array(SPAN * 2).fill(-1)
      for (const { offset, length, isCut, fill } of steps) {
        if (isCut) pieces.cut(offset, offset + length)
        else pieces.write(view, offset, new Uint8Array(length).fill(fill))
        model.fill(isCut ? -1 : fill, offset, offset + length)
      }
      let end = 0
      let bytes = 0
      for (const piece of pieces.list) {
        if (piece.start < end || piece.length === 0 || piece.length > piece.bytes.length) return false
        end = piece.start + piece.length
        if (chunkStart(piece.start) !== chunkStart(end - 1)) return false
        bytes += piece.length
        for (let i = 0; i < piece.length; i++) {
          if (model[piece.start + i] !== piece.bytes[i]) return false
        }
      }
      return bytes === pieces.bytes && bytes === model.filter((value) => value >= 0).length
    }),
    { seed: 2, numRuns: 300 },
  )
})

t.test('covers and copies what it holds', async (t) => {
  const pieces = new DirtyPieces()
  const view = new MemoryRecordView()
  pieces.write(view, 10, Uint8Array.of(1, 2, 3))
  pieces.write(view, 13, Uint8Array.of(4))
  pieces.write(view, 20, Uint8Array.of(9))
  t.ok(pieces.covers(10, 4))
  t.notOk(pieces.covers(9, 2))
  t.notOk(pieces.covers(13, 8))
  const target = new Uint8Array(14)
  pieces.copyTo(9, 13, target, 1)
  t.same([...target], [0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 9, 0])
})

t.test('small appends share a piece, large ones do not copy', async (t) => {
  const pieces = new DirtyPieces()
  const view = new MemoryRecordView()
  for (let i = 0; i < 1000; i++) pieces.write(view, i * 100, new Uint8Array(100))
  t.equal(pieces.list.length, 2, 'one piece a chunk')
  t.ok(view.pendingBytes < 2.5 * 100_000, `${view.pendingBytes} bytes staged for 100,000`)
  const large = new DirtyPieces()
  const before = view.pendingBytes
  for (let i = 0; i < 8; i++) large.write(view, i * 32_768, new Uint8Array(32_768))
  t.equal(view.pendingBytes - before, 8 * 32_768)
})

t.test('a snapshot does not change with later writes', async (t) => {
  const pieces = new DirtyPieces()
  const view = new MemoryRecordView()
  pieces.write(view, 0, Uint8Array.of(1, 1, 1))
  const snapshot = pieces.snapshot(0, 3)
  pieces.write(view, 1, Uint8Array.of(2))
  const target = new Uint8Array(3)
  snapshot.copyTo(0, 3, target, 0)
  t.same([...target], [1, 1, 1])
})
