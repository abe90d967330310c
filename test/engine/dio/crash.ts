/**
 * Power failures and killed processes at every operation on the log of a chain of objects, and inside its writes: what is
 * there afterwards is what some number of the commits made, all of each or nothing, and none is missing that was waited
 * for.
 */
import t, { type Test } from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { Chain } from '../../../src/engine/dio/chain.js'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import { cuts, lastNoteOf, powerFailures } from '../../helpers/crash/cuts.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { keys, MemoryAnchor } from '../../helpers/log-workbench.js'
import { Box, collected, Item, Note } from '../../helpers/objects.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const COMMITS = 10
/** A small disk gets a small segment: opening one writes over its whole rest. */
const CAPACITY_BYTES = 4 * 1024 * 1024
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined

interface Moment {
  /** Commits begun; what each left is in `states`. */
  begun: number
  /** Of them, those that were waited for. */
  waited: number
  anchor: Uint8Array | undefined
}

async function open(storage: FaultStorage, anchor: MemoryAnchor): Promise<Chain> {
  storage.capacityBytes = CAPACITY_BYTES
  const opened = await openMemoryChain({ crypto, keys, storage, anchor })
  const { view } = opened
  return new Chain({
    name: 'c',
    view,
    crypto,
    nowMs: () => 1000,
    durability: 'local',
    compact: () => view.compact(),
    onClose: () => opened.close(),
  })
}

/** Everything in a chain, in words. */
async function stateOf(chain: Chain): Promise<string> {
  const words: string[] = []
  const dio = chain.dio()
  for await (const note of dio.roots(Note)) words.push(`note ${note.text.length}`)
  for await (const box of dio.roots(Box)) {
    const items = (await collected(box.items)).map(({ name, amount }) => `${name}=${amount}`)
    const notes = (await collected(box.notes)).map(([name, { text }]) => `${name}:${text}`)
    words.push(`box ${box.label} [${items.join(' ')}] {${notes.sort().join(' ')}}`)
  }
  return words.sort().join('; ')
}

/** Changes several records of several kinds; `turn` makes each different. */
async function change(dio: DioMut, turn: number, random: () => number): Promise<void> {
  const [first] = await collected(dio.roots(Box))
  const box = first ?? dio.store({ label: 'box' }, { type: Box })
  box.label = `${turn}`
  box.items.push({ name: `n${turn}`, amount: turn })
  box.notes.set(`k${Math.floor(random() * 3)}`, { text: `${turn}` })
  if (random() < 0.3) dio.store({ text: 'x'.repeat(1 + Math.floor(random() * 40_000)) }, { type: Note })
  const items = await collected(box.items)
  const [victim] = items
  if (victim !== undefined && items.length > 4) dio.delete(victim)
  const found = await collected(dio.find(Item, 'name', `n${turn - 1}`))
  for (const item of found) item.amount += 100
}

async function history(seed: number): Promise<{ storage: FaultStorage; states: string[] }> {
  const random = seededRandom(seed)
  const storage = new FaultStorage()
  const anchor = new MemoryAnchor()
  const moment: Moment = { begun: 0, waited: 0, anchor: undefined }
  const mark = (): void => storage.mark({ ...moment, anchor: anchor.content })
  const chain = await open(storage, anchor)
  const states = [await stateOf(chain)]
  mark()
  for (let turn = 1; turn <= COMMITS; turn++) {
    const dio = chain.dioMut()
    await change(dio, turn, random)
    const isWaitedFor = random() < 0.5
    moment.begun = turn
    mark()
    await dio.commit({ durability: isWaitedFor ? 'local' : 'memory' })
    states.push(await stateOf(chain))
    if (isWaitedFor) moment.waited = turn
    mark()
  }
  await chain.close()
  return { storage, states }
}

async function check(t: Test, storage: FaultStorage, moment: Moment, states: readonly string[], what: string) {
  const chain = await open(storage, new MemoryAnchor(moment.anchor))
  const found = await stateOf(chain)
  const at = states.indexOf(found)
  if (at < moment.waited || at > moment.begun)
    t.fail(`${what}: ${at < 0 ? found : `commit ${at}`} of ${moment.begun} begun, ${moment.waited} waited for`)
  // And it goes on from there.
  await chain.transact((dio) => dio.store({ text: 'after' }, { type: Note }))
  await chain.close()
}

await t.test('a crash leaves a prefix of the commits, with all that were waited for', async (t) => {
  let crashes = 0
  for (const seed of [1, 2]) {
    const { storage, states } = await history(seed)
    t.equal(new Set(states).size, states.length, 'each commit can be told from the others')
    for (const operations of cuts(storage.operations)) {
      const moment = lastNoteOf(operations) as Moment | undefined
      if (moment === undefined) continue
      await check(t, FaultStorage.afterKill(operations), moment, states, `seed ${seed}, killed at ${operations.length}`)
    }
    for (const { what, operations, files } of powerFailures(storage.operations, seededRandom(seed), IS_LONG)) {
      const moment = lastNoteOf(operations) as Moment | undefined
      if (moment === undefined) continue
      await check(t, FaultStorage.holding(files), moment, states, `seed ${seed}, ${what}`)
      crashes++
    }
  }
  t.ok(crashes > 100, `${crashes} crashes`)
})
