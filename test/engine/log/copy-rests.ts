/** A copy of what a server keeps is synced now and then, and the last of it, too. */
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { SegmentFile } from '../../../src/engine/log/storage.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { create, draft, open } from '../../helpers/log-workbench.js'

const BATCHES = 40
const REST_MS = 100

class SlowSyncs extends FaultStorage {
  readonly done: (() => void)[] = []

  override inBackground(sync: Promise<void>): Promise<void> {
    return super.inBackground(new Promise<void>((resolve) => this.done.push(resolve)).then(() => sync))
  }
}

class CountedSyncs extends FaultStorage {
  syncs = 0

  override async openSegment(...segment: Parameters<FaultStorage['openSegment']>): Promise<SegmentFile> {
    const file = await super.openSegment(...segment)
    const sync = file.syncInBackground.bind(file)
    file.syncInBackground = () => {
      this.syncs++
      return sync()
    }
    return file
  }
}

/** Syncs behind while so many batches are appended that nobody waits for, and the durable end some time later. */
async function appendMany(t: Test, isServed: boolean): Promise<{ syncs: number; ms: number; durable: number }> {
  const storage = new CountedSyncs()
  await create(storage)
  const { log } = await open({ storage, isServed })
  t.teardown(() => log.close())
  await log.makeRoom()
  const began = performance.now()
  for (let number = 1; number <= BATCHES; number++) {
    await log.append([draft(number, 100)], false)
    await nextTurn()
  }
  const { syncs } = storage
  const ms = performance.now() - began
  await wait(250)
  return { syncs, ms, durable: log.durableSequence }
}

await t.test('a copy rests between syncs that nobody waits for, and syncs its end', async (t) => {
  const { syncs, ms, durable } = await appendMany(t, true)
  t.ok(syncs <= ms / REST_MS + 2, `${syncs} syncs in ${Math.round(ms)} ms`)
  t.equal(durable, BATCHES)
})

await t.test('a chain that nobody else keeps does not rest', async (t) => {
  const { syncs } = await appendMany(t, false)
  t.ok(syncs >= BATCHES / 4, `${syncs} syncs`)
})

await t.test('what comes when the rest is over, but not the sync before it, is synced too', async (t) => {
  const storage = new SlowSyncs()
  await create(storage)
  const { log } = await open({ storage, isServed: true })
  await log.makeRoom()
  await log.append([draft(1, 100)], false)
  await wait(150)
  await log.append([draft(2, 100)], false)
  for (let sync = 0; sync < 2; sync++) {
    storage.done.shift()?.()
    await wait(150)
  }
  t.equal(log.durableSequence, 2)
  await log.close()
})

await t.test('a sync that is waited for does not wait for the rest', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage, isServed: true })
  await log.makeRoom()
  await log.append([draft(1, 100)], false)
  await log.append([draft(2, 100)], false)
  await log.append([draft(3, 100)], true)
  t.equal(log.durableSequence, 3)
  await log.append([draft(4, 100)], false)
  await log.close()
  await wait(150)
  t.equal(log.durableSequence, 4, 'and nothing is synced behind the end')
})
