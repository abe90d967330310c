/**
 * Power failures and killed processes at every operation on the log of a file system in use, and inside its writes: what is
 * mounted afterwards is the file system as it was after one of the requests answered so far, and none that an fsync
 * covered is missing. ATEFS_TEST_LONG=1 tries every cut with every luck; otherwise they take turns.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore } from '../../../src/engine/index/ordered-store.js'
import { checkFileSystem } from '../../../src/fs/vfs/check/check.js'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import { ROOT_INO } from '../../../src/fs/vfs/types.js'
import { cuts, lastNoteOf, powerFailures } from '../../helpers/crash/cuts.js'
import { HistoryStore } from '../../helpers/crash/history-store.js'
import { doRandomRequest } from '../../helpers/crash/vfs-requests.js'
import { treeOf } from '../../helpers/crash/vfs-tree.js'
import { FaultStorage, type Operation } from '../../helpers/fault-storage.js'
import { crypto, keys, MemoryAnchor } from '../../helpers/log-workbench.js'
import { makeFile, ManualClock, ManualTimer, USER } from '../../helpers/open-memory-fs.js'
import { seededRandom } from '../../helpers/seeded-random.js'

/** A small disk gets a small segment: opening one writes over its whole rest. */
const CAPACITY_BYTES = 4 * 1024 * 1024
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
/** So many changes make a commit that nobody waits for. */
const COMMIT_CHANGES = 16_384
/** Every so many crashes, how the rest is looked at. */
const [CHECK_EVERY, GO_ON_EVERY] = [5, 3]

/** What is known at a moment of the history. */
interface Note {
  /** Requests answered; the tree after each is in `trees`. */
  answered: number
  /** Of them, those that a finished fsync covered. */
  synced: number
  anchor: Uint8Array | undefined
  /** Steps of the index store that are done: each is durable at once. */
  indexSteps: number
}

class NotedAnchor extends MemoryAnchor {
  onWrite: () => void = () => {}

  override write(content: Uint8Array): void {
    super.write(content)
    this.onWrite()
  }
}

interface Mounted {
  chain: MemoryChain
  fs: ChainFileSystem
  timer: ManualTimer
}

interface Medium {
  storage: FaultStorage
  store: OrderedStore
  anchor: MemoryAnchor
}

async function mount(medium: Medium, readOnly = false, startSec = 1_000_000): Promise<Mounted> {
  medium.storage.capacityBytes = CAPACITY_BYTES
  const chain = await openMemoryChain({ crypto, keys, ...medium, readOnly })
  const clock = new ManualClock()
  clock.sec = startSec
  const timer = new ManualTimer()
  const onWarning = (message: string): void => {
    throw new Error(message)
  }
  const options = { nameKey: keys.nameKey, onWarning, clock, timer, readOnly, accessTime: 'noatime' as const }
  return { chain, fs: await openFileSystem({ view: chain.view, options }), timer }
}

interface History {
  storage: FaultStorage
  store: HistoryStore
  anchor: NotedAnchor
  /** The file system after as many requests. Going on after a kill counts as one. */
  trees: string[]
  refused: number
}

/** Mounts, sends requests, and ends in order or not at all. */
async function session(history: History, requests: number, seed: number, closes: boolean): Promise<void> {
  const { storage, store, anchor, trees } = history
  const random = seededRandom(seed)
  const known = lastNoteOf(storage.operations) as Note | undefined
  const counts = { answered: known?.answered ?? 0, synced: known?.synced ?? 0 }
  const note = (): void =>
    storage.mark({ ...counts, anchor: anchor.content, indexSteps: store.steps.length } satisfies Note)
  if (known !== undefined) store.onStep = anchor.onWrite = note
  const { chain, fs, timer } = await mount(history, false, 1_000_000 + trees.length)
  store.onStep = anchor.onWrite = note
  let tree = await treeOf(fs)
  // What a mount shows is durable.
  counts.synced = counts.answered = trees.push(tree.text) - 1
  note()
  const sync = (): Promise<void> => {
    const covered = counts.answered
    return fs.sync().then(() => {
      counts.synced = Math.max(counts.synced, covered)
      note()
    })
  }
  const syncs: Promise<void>[] = []
  const { ino: unnamed } = await fs.makeTemporary(ROOT_INO, 0o600, 0, USER)
  fs.retain(unnamed)
  for (let i = 1; i <= requests; i++) {
    if (!(await doRandomRequest(fs, tree, random))) history.refused++
    tree = await treeOf(fs)
    counts.answered = trees.push(tree.text) - 1
    note()
    const chance = random()
    if (chance < 0.06) await sync()
    else if (chance < 0.12) syncs.push(sync())
    else if (chance < 0.4) for (let tick = 0; tick < 3; tick++) timer.fire()
    else if (chance < 0.45) chain.writer.flushIndex()
    // Requests nobody sees, but so many that they make a commit.
    else if (chance < 0.52)
      for (let n = 0; n < COMMIT_CHANGES; n++) void fs.setAttributes(unnamed, { mode: n & 7 }, USER)
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) await nextTurn()
  }
  await Promise.all(syncs)
  if (!closes) return
  await fs.close()
  await chain.close()
  counts.synced = counts.answered
  note()
}

/** The same disk for a new process, when the one before was killed: what that one still does is not seen. */
function afterKill({ storage, store, anchor, ...rest }: History): History {
  return {
    ...rest,
    storage: FaultStorage.afterKill(storage.operations),
    store: HistoryStore.after(store.steps),
    anchor: new NotedAnchor(anchor.content),
  }
}

async function life(): Promise<History> {
  const storage = new FaultStorage()
  let history: History = { storage, store: new HistoryStore(), anchor: new NotedAnchor(), trees: [], refused: 0 }
  await session(history, 50, 1, false)
  history = afterKill(history)
  await session(history, 35, 2, true)
  await session(history, 25, 3, false)
  return history
}

/** Mounts what a crash left. Returns what is wrong with it. */
async function check(
  medium: Medium,
  note: Note | undefined,
  trees: readonly string[],
  turn: number,
): Promise<string | undefined> {
  // A chain without a root directory yet must be given one.
  const { chain, fs } = await mount(medium, note !== undefined && turn % 2 === 0)
  const { answered, synced } = note ?? { answered: 0, synced: 0 }
  const { text } = await treeOf(fs)
  if (!trees.slice(synced, answered + 1).includes(text)) {
    const found = trees.lastIndexOf(text)
    return `it is ${found < 0 ? 'as it never was' : `after request ${found}`}, not ${synced} to ${answered}`
  }
  if (turn % CHECK_EVERY === 0) {
    // What mounting removed, too, must be in the records.
    await fs.sync()
    for await (const { message } of checkFileSystem({ view: chain.view, nameKey: keys.nameKey })) return message
  }
  if (chain.view.readOnly || turn % GO_ON_EVERY !== 0) return undefined
  await makeFile(fs, ROOT_INO, 'made after the crash', 'content')
  await fs.sync()
  const after = await treeOf(fs)
  const again = await mount({ ...medium, storage: FaultStorage.afterKill(medium.storage.operations) }, true)
  return (await treeOf(again.fs)).text === after.text ? undefined : 'it does not go on'
}

interface Crash {
  what: string
  storage: FaultStorage
  operations: readonly Operation[]
}

async function checkAll(t: Test, crashes: Iterable<Crash>, { trees, store }: History): Promise<void> {
  const failures: string[] = []
  let turn = 0
  for (const { what, storage, operations } of crashes) {
    turn++
    const note = lastNoteOf(operations) as Note | undefined
    // The index as it was, or lost: then it is made again from the log.
    const isKept = turn % 4 >= 2
    const index = isKept ? HistoryStore.after(store.steps.slice(0, note?.indexSteps)) : new MemoryStore()
    const medium = { storage, store: index, anchor: new MemoryAnchor(note?.anchor) }
    const problem = await check(medium, note, trees, turn).catch((error: unknown) => String(error))
    if (problem !== undefined) failures.push(`${what}, index ${isKept ? 'kept' : 'lost'}: ${problem}`)
  }
  t.same(failures, [], `${turn} crashes`)
}

const history = await life()

await t.test('the history has everything that is to be shown', async (t) => {
  const { storage, trees, refused } = history
  t.equal(trees.length, 113, 'three mounts and 110 requests')
  t.ok(refused < 40, 'most requests are done')
  t.equal(new Set(trees).size > 70, true, 'and change something')
  const notes = storage.operations.flatMap((operation) => (operation.kind === 'mark' ? [operation.note as Note] : []))
  t.ok(new Set(notes.map(({ synced }) => synced)).size > 6, 'there are fsyncs')
  t.ok(new Set(notes.map(({ indexSteps }) => indexSteps)).size > 4, 'the index is written meanwhile')
})

await t.test(
  'after a power failure there is a prefix of the answered requests with all that was fsynced',
  async (t) => {
    function* crashes(): Generator<Crash> {
      for (const failure of powerFailures(history.storage.operations, seededRandom(20261121), IS_LONG)) {
        yield { ...failure, storage: FaultStorage.holding(failure.files) }
      }
    }
    await checkAll(t, crashes(), history)
  },
)

await t.test('after a kill there is a prefix of the answered requests with all that was fsynced', async (t) => {
  function* crashes(): Generator<Crash> {
    let turn = 0
    for (const operations of cuts(history.storage.operations)) {
      if (++turn % 3 !== 0 && !IS_LONG) continue
      yield { what: `operation ${operations.length}`, storage: FaultStorage.afterKill(operations), operations }
    }
  }
  await checkAll(t, crashes(), history)
})
