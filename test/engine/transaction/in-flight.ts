/** Commits that nobody waits for are held up when too much of them is not in the log yet. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { RecordStore } from '../../../src/engine/transaction/record-store.js'
import { MemoryRecordView } from '../../helpers/memory-record-view.js'

const MIB = 1024 * 1024

await t.test('memory for what is under way is bounded', async (t) => {
  const view = new MemoryRecordView()
  view.holdsCommits = true
  const store = new RecordStore(view, { isListening: false, note: () => undefined })
  let done = 0
  const commit = async (low: number): Promise<void> => {
    const transaction = store.begin()
    for (let i = 0; i < 64; i++) transaction.put(40, 1, 64 * low + i, new Uint8Array(MIB / 32))
    const nothing = (): void => undefined
    await store.commit(transaction, {
      isDurable: false,
      moreBytes: 0,
      settle: nothing,
      finish: nothing,
      onApplied: nothing,
    })
    done++
  }
  const all = (async () => {
    for (let i = 0; i < 8; i++) await commit(i)
  })()
  for (let i = 0; i < 20; i++) await nextTurn()
  t.ok(done >= 3 && done <= 4, `${done} commits of 2 MiB, 8 MiB are the bound`)
  view.holdsCommits = false
  view.releaseCommits()
  await all
  t.equal(done, 8)
})
