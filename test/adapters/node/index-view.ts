/**
 * The index as a mount reads it while the commit worker writes it: between two flushes, and in the middle of one, the
 * reader sees the index of its last refresh, whole, and after the next refresh the new one.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { LmdbStore, removeLmdbStore } from '../../../src/adapters/node/lmdb-store.js'
import { IndexReader } from '../../../src/engine/index/index-reader.js'
import { IndexWriter } from '../../../src/engine/index/index-writer.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { Overlay } from '../../../src/engine/index/overlay.js'
import { crypto, keys } from '../../helpers/log-workbench.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const KIND = 20
const RECORDS = 30_000
const ROUNDS = 4
const point = { sequence: 1, digest: new Uint8Array(32), segment: 1, position: 152 }

/** What the index should hold: a number for each low. */
type Model = Map<number, number>

/** Changes every record of a stretch, deletes another, and puts new ones: leaves are split, joined and removed. */
function nextRound(model: Model, round: number, random: () => number): { overlay: Overlay; after: Model } {
  const overlay = new Overlay()
  const after = new Map(model)
  const [cleared, changed] = [Math.floor(random() * RECORDS), Math.floor(random() * RECORDS)]
  overlay.deleteRange(1, KIND, 1, cleared, cleared + RECORDS / 4)
  for (const low of after.keys()) if (low >= cleared && low <= cleared + RECORDS / 4) after.delete(low)
  for (let low = changed; low < changed + RECORDS / 2; low += 1 + Math.floor(random() * 3)) {
    overlay.put(1, KIND, 1, low, Buffer.alloc(60 + (round % 2) * 60, round))
    after.set(low, round)
  }
  return { overlay, after }
}

/** Reads in every way what a low may be found by; true when all of it is as it should be. */
function agrees(reader: IndexReader, model: Model, lows: readonly number[], low: number): boolean {
  const isRight = (at: number, value: Uint8Array | undefined): boolean => value?.[0] === model.get(at)
  const first = lows.findIndex((each) => each >= low)
  const expected = first < 0 ? [] : lows.slice(first, first + 200)
  const range = reader.range(KIND, 1, low, Number.MAX_SAFE_INTEGER, 200)
  return (
    isRight(low, reader.get(KIND, 1, low)) &&
    range.length === expected.length &&
    range.every((item, i) => item.low === expected[i] && isRight(item.low, item.value)) &&
    reader.floor(KIND, 1, low)?.low === (model.has(low) ? low : lows[(first < 0 ? lows.length : first) - 1])
  )
}

function check(t: Test, reader: IndexReader, model: Model, random: () => number, what: string): void {
  const lows = [...model.keys()].sort((a, b) => a - b)
  const wrong: number[] = []
  for (let i = 0; i < 60; i++) {
    const low = Math.floor(random() * 1.6 * RECORDS)
    if (!agrees(reader, model, lows, low)) wrong.push(low)
  }
  t.same(wrong, [], what)
}

t.test('a reader sees each flush whole, when it is told of it and not before', async (t) => {
  const directory = join(mkdtempSync(join(tmpdir(), 'atefs-view-')), 'index')
  t.teardown(() => removeLmdbStore(join(directory, '..')))
  const seal = new LeafSeal(crypto, keys)
  const [written, read] = [false, true].map((readOnly) => new LmdbStore(directory, { readOnly }))
  if (written === undefined || read === undefined) return
  const writer = new IndexWriter(written, seal, crypto, keys)
  const reader = new IndexReader(read, seal)
  reader.refresh()
  const random = seededRandom(11)
  let model: Model = new Map()
  let slices = 0
  for (let round = 1; round <= ROUNDS; round++) {
    const { overlay, after } = nextRound(model, round, random)
    const steps = writer.flush(overlay, point, { nextGroup: 1, recordBytes: 0 })
    for (; steps.next().done !== true; slices++) {
      // A timer after a timer: whatever the store does at the end of a turn has been done.
      for (let turn = 0; turn < 2; turn++) await sleep(1)
      check(t, reader, model, random, `in the middle of flush ${round}`)
    }
    await sleep(1)
    check(t, reader, model, random, `behind flush ${round}`)
    reader.refresh(writer.takeChangedLeaves())
    model = after
    check(t, reader, model, random, `after refresh ${round}`)
  }
  t.ok(slices > ROUNDS, `${slices} slices`)
  await read.close()
  await written.close()
})
