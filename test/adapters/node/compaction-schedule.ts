/** The schedule of a mount: when it compacts, what it says, and that it ends. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import type { ChainHandle, ChainStatus } from '../../../src/adapters/node/chain-handle.js'
import { AteError } from '../../../src/engine/error.js'
import { type CompactionTriggers, DEFAULT_TRIGGERS } from '../../../src/engine/chain/compaction/compaction-mode.js'
import { type CompactionPlan, CompactionSchedule } from '../../../src/adapters/node/compaction-schedule.js'

type Plan = Partial<CompactionTriggers & Pick<CompactionPlan, 'isNow'>>

function workbench({ isNow = false, ...own }: Plan, readOnly = false, ofServer?: () => CompactionTriggers | undefined) {
  const said: string[] = []
  const world = {
    now: 0,
    headSequence: 1,
    logBytes: 1000,
    compactions: 0,
    isDeferred: false,
    error: undefined as AteError | undefined,
  }
  const chain = {
    view: { readOnly } as ChainHandle['view'],
    status: () => ({ headSequence: world.headSequence, logBytes: world.logBytes }) as ChainStatus,
    compact: async () => {
      world.compactions++
      await nextTurn()
      if (world.error !== undefined) throw world.error
      world.headSequence++
      return { bodies: 3, bytes: 200, freedBytes: 100, isDeferred: world.isDeferred }
    },
  }
  const schedule = new CompactionSchedule({
    chain,
    plan: { own, isNow },
    ofServer,
    holeBytes: 0,
    onCompacted: ({ bodies, freedBytes }) => said.push(`${bodies} ${freedBytes}`),
    onFailure: (message) => said.push(message),
    clock: () => world.now,
  })
  return { schedule, world, said }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await nextTurn()
}

await t.test('with the flag it compacts at once, and never again', async (t) => {
  const { schedule, world, said } = workbench({ isNow: true })
  schedule.start()
  await settled()
  t.equal(world.compactions, 1)
  t.same(said, ['3 100'])
  world.headSequence = 99
  schedule.look()
  await settled()
  t.equal(world.compactions, 1)
  schedule.stop()
})

await t.test('what is read only is not compacted', async (t) => {
  const { schedule, world } = workbench({ isNow: true, mode: 'modified' }, true)
  schedule.start()
  await settled()
  t.equal(world.compactions, 0)
})

await t.test('one compaction at a time, and one more for what came meanwhile', async (t) => {
  const { schedule, world } = workbench({ mode: 'modified' })
  schedule.look()
  t.equal(world.compactions, 0, 'nothing was committed')
  world.headSequence = 5
  schedule.look()
  schedule.look()
  t.equal(world.compactions, 1)
  world.headSequence = 7
  await settled()
  schedule.look()
  await settled()
  t.equal(world.compactions, 2)
})

await t.test('after a failure it says why and waits, and at the end of the chain it says nothing', async (t) => {
  const { schedule, world, said } = workbench({ mode: 'modified' })
  world.error = new AteError('NO_SPACE', 'the disk is full')
  world.headSequence = 5
  schedule.look()
  await settled()
  world.headSequence = 6
  schedule.look()
  t.equal(world.compactions, 1)
  t.same(said, ['not compacted: the disk is full (NO_SPACE)'])
  world.now = 600_000
  world.error = new AteError('CHAIN_CLOSED', 'closed')
  schedule.look()
  await settled()
  t.equal(world.compactions, 2)
  t.equal(said.length, 1)
})

await t.test('what had to be left is tried again after a minute, and nothing is said', async (t) => {
  const { schedule, world, said } = workbench({ mode: 'modified' })
  world.isDeferred = true
  world.headSequence = 5
  schedule.look()
  await settled()
  schedule.look()
  t.equal(world.compactions, 1)
  world.now = 60_000
  schedule.look()
  await settled()
  t.equal(world.compactions, 2)
  t.same(said, [])
})

await t.test('what was given back counts, for growth', async (t) => {
  const { schedule, world } = workbench({ mode: 'size', sizeBytes: 500 })
  world.logBytes = 1500
  world.headSequence = 5
  schedule.look()
  await settled()
  t.equal(world.compactions, 1)
  world.logBytes = 1999
  world.headSequence = 9
  schedule.look()
  t.equal(world.compactions, 1, '1,899 less 1,400')
  world.logBytes = 2000
  schedule.look()
  t.equal(world.compactions, 2)
  await settled()
})

await t.test('what the server says counts where the user says nothing, from when it says so', async (t) => {
  let ofServer: CompactionTriggers | undefined
  const { schedule, world } = workbench({ sizeBytes: 500 }, false, () => ofServer)
  const looked = async (): Promise<number> => {
    schedule.look()
    await settled()
    return world.compactions
  }
  world.headSequence = 5
  t.equal(await looked(), 0, 'by default not yet')
  ofServer = { ...DEFAULT_TRIGGERS, mode: 'size', sizeBytes: 100 }
  world.logBytes = 1400
  t.equal(await looked(), 0, 'the user has said how much')
  world.logBytes = 1500
  t.equal(await looked(), 1, 'the server has said by what')
  ofServer = { ...DEFAULT_TRIGGERS, mode: 'never' }
  world.headSequence = 50
  world.logBytes = 1_000_000_000
  t.equal(await looked(), 1)
})
