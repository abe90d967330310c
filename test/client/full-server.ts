/** A server without room: who writes is told, the connection stays, and what is here already is brought when there is room. */
import t, { type Test } from 'tap'
import { AteError } from '../../src/engine/error.js'
import { errorCode } from '../../src/index.js'
import { MemoryStores } from '../helpers/chain-server.js'
import { FaultStorage } from '../helpers/fault-storage.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, machine, type Machine, store, texts } from '../helpers/remote-chains.js'

class SmallDisk extends FaultStorage {
  takesSmallFiles = true

  override async replaceSmall(name: string, content: Uint8Array): Promise<void> {
    if (!this.takesSmallFiles) throw new AteError('NO_SPACE', 'The disk is full.')
    await super.replaceSmall(name, content)
  }
}

interface World {
  disk: SmallDisk
  one: Machine
  other: Machine
  dialled: () => number
}

async function world(t: Test): Promise<World> {
  const disk = new SmallDisk({ capacityBytes: 3 * 1024 * 1024 })
  const server = new TestServer({}, 'centralized', new MemoryStores(() => disk))
  let dials = 0
  const served = {
    dial: () => {
      dials++
      return server.dial()
    },
  }
  const one = await machine(served)
  const other = await machine(served, { keys: one.keys })
  t.teardown(async () => {
    for (const each of [one, other]) await each.close()
    await server.close()
  })
  await store(one, 'first')
  await store(other, 'second')
  await other.remote.accepted()
  const before = dials
  return { disk, one, other, dialled: () => dials - before }
}

const isWhole = ({ remote }: Machine): boolean => remote.status().serverSequence === remote.status().headSequence

t.test(
  'no room for the turn: whoever wants it is told, all go on reading, and it is given when there is room',
  async (t) => {
    const { disk, one, other, dialled } = await world(t)
    disk.takesSmallFiles = false
    for (const each of [one, other, one]) await t.rejects(store(each, 'refused'), { code: 'NO_SPACE' })
    await one.remote.refresh()
    t.strictSame(await texts(one), ['first', 'second'])
    t.ok(one.remote.status().isConnected)
    disk.takesSmallFiles = true
    await store(one, 'third')
    await eventually(async () => (await texts(other)).includes('third'))
    t.equal(dialled(), 0, 'no connection was lost')
  },
)

t.test(
  'no room for what is brought: who waits for the server is told, and it is brought when there is room',
  async (t) => {
    const { disk, one, other, dialled } = await world(t)
    const written: string[] = []
    let told: unknown
    for (let i = 0; told === undefined && i < 100; i++) {
      written.push(`${i}`.padEnd(128 * 1024, 'x'))
      await store(one, written.at(-1) ?? '')
      await one.remote.accepted().catch((error: unknown) => (told = errorCode(error)))
    }
    t.equal(told, 'NO_SPACE')
    await t.rejects(one.remote.accepted(), { code: 'NO_SPACE' }, 'it was tried again')
    t.equal(isWhole(one), false)
    t.ok((await texts(other)).length >= written.length, 'what was accepted is read elsewhere')
    disk.capacityBytes = Infinity
    await one.remote.accepted()
    t.ok(isWhole(one))
    await store(other, 'last')
    await eventually(async () => (await texts(one)).includes('last'))
    t.strictSame(await texts(other), ['first', 'second', 'last', ...written].sort(), 'all of it came, once')
    t.equal(dialled(), 0, 'no connection was lost')
  },
)
