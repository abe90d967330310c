/**
 * Power failures and killed processes at every operation of a log's life, and inside its writes: what opens afterwards is
 * a prefix of what was appended, with everything acknowledged, and goes on as a sound log. ATEFS_TEST_LONG=1 tries every
 * cut with every luck; otherwise they take turns.
 */
import t, { type Test } from 'tap'
import { verifyLog } from '../../../src/engine/log/index.js'
import { cuts, lastNoteOf, powerFailures } from '../../helpers/crash/cuts.js'
import { FaultStorage, mediumAfter, type Operation } from '../../helpers/fault-storage.js'
import {
  contentIsRight,
  create,
  crypto,
  draft,
  keys,
  MemoryAnchor,
  numbersOf,
  open,
} from '../../helpers/log-workbench.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const SEGMENT_BYTES = 48 * 1024
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined

interface Note {
  /** Batches acknowledged so far. */
  acknowledged: number
  /** The anchor as it was last written. */
  anchor: Uint8Array | undefined
}

/** Appends calls of batches; `acknowledged` counts durable batches from the very first. */
async function session(
  storage: FaultStorage,
  calls: readonly (readonly [count: number, contentBytes: number, isDurable?: boolean])[],
  closes: boolean,
) {
  const anchor = new MemoryAnchor(lastNote(storage.operations).anchor)
  let acknowledged = 0
  const note = (): void => storage.mark({ acknowledged, anchor: anchor.content } satisfies Note)
  // What is shown to a cache may become durable there at once.
  const onBatch = (): void => {
    acknowledged++
    note()
  }
  const { log } = await open({ storage, anchor, segmentBytes: SEGMENT_BYTES, onBatch })
  note()
  let appended = acknowledged
  for (const [count, contentBytes, isDurable = true] of calls) {
    const drafts = Array.from({ length: count }, (_, i) => draft(appended + i + 1, contentBytes))
    await log.append(drafts, isDurable)
    appended += count
    if (isDurable) acknowledged = appended
    note()
  }
  if (closes) await log.close()
}

async function life(storage: FaultStorage): Promise<void> {
  await create(storage)
  storage.mark({ acknowledged: 0, anchor: undefined } satisfies Note)
  const single = [1, 3000] as const
  await session(storage, [[1, 0], [3, 5000], [1, 30_000], single, single, single, single, single, [2, 100]], true)
  await session(
    storage,
    [
      [1, 700],
      [4, 20_000, false],
      [1, 0, false],
      [1, 20_000, false],
      [1, 0],
      [2, 9000, false],
    ],
    false,
  )
  await session(
    storage,
    [
      [2, 10],
      [1, 60_000, false],
      [1, 10, false],
    ],
    true,
  )
}

function lastNote(operations: readonly Operation[]): Note & { isCreated: boolean } {
  const note = lastNoteOf(operations)
  return note === undefined
    ? { acknowledged: 0, anchor: undefined, isCreated: false }
    : { ...(note as Note), isCreated: true }
}

/** Opens what a crash left, twice, and goes on with it. `anchor` is what is left of it. */
async function check(
  storage: FaultStorage,
  note: ReturnType<typeof lastNote>,
  anchor?: Uint8Array,
): Promise<string | undefined> {
  if (!storage.files.has('manifest')) return note.isCreated ? 'the manifest is lost' : undefined
  const options = { storage, segmentBytes: SEGMENT_BYTES, anchor: new MemoryAnchor(anchor) }
  const readOnly = await open({ ...options, readOnly: true })
  const { log, batches } = await open(options)
  const numbers = numbersOf(batches)
  if (numbers.some((number, i) => number !== i + 1)) return `batches ${numbers.join()} are no prefix`
  if (numbers.length < note.acknowledged)
    return `${numbers.length} of ${note.acknowledged} acknowledged batches are there`
  if (numbersOf(readOnly.batches).join() !== numbers.join()) return 'opening read-only shows another log'
  if (!contentIsRight(storage, batches)) return 'content is wrong'
  await log.append([draft(numbers.length + 1, 2000)])
  await log.close()
  const again = await open({ ...options, readOnly: true })
  if (numbersOf(again.batches).join() !== [...numbers, numbers.length + 1].join()) return 'it does not go on'
  for await (const finding of verifyLog({ storage, crypto, keys })) return `verifying finds: ${finding.message}`
  return undefined
}

async function checkAll(
  t: Test,
  media: Iterable<[string, FaultStorage, readonly Operation[], Uint8Array | undefined]>,
) {
  let checked = 0
  const failures: string[] = []
  for (const [what, storage, operations, anchor] of media) {
    const problem = await check(storage, lastNote(operations), anchor).catch((error: unknown) => String(error))
    if (problem !== undefined) failures.push(`${what}: ${problem}`)
    checked++
  }
  t.same(failures, [], `${checked} crashes`)
}

await t.test('after a power failure a log holds a prefix with all that was acknowledged', async (t) => {
  const storage = new FaultStorage()
  await life(storage)
  const random = seededRandom(20261121)
  function* media(): Generator<[string, FaultStorage, readonly Operation[], Uint8Array | undefined]> {
    for (const { what, operations, luck, files } of powerFailures(storage.operations, random, IS_LONG)) {
      const anchors = operations.flatMap((operation) =>
        operation.kind === 'mark' ? [(operation.note as Note).anchor] : [],
      )
      const anchor = luck === 'all' ? anchors.at(-1) : anchors[Math.floor(random() * anchors.length)]
      yield [what, FaultStorage.holding(files), operations, anchor]
    }
  }
  await checkAll(t, media())
})

await t.test('after the process is killed a log holds a prefix with all that was acknowledged', async (t) => {
  const storage = new FaultStorage()
  await life(storage)
  function* media(): Generator<[string, FaultStorage, readonly Operation[], Uint8Array | undefined]> {
    let turn = 0
    for (const operations of cuts(storage.operations)) {
      if (++turn % 3 !== 0 && !IS_LONG) continue
      yield [
        `operation ${operations.length}`,
        FaultStorage.afterKill(operations),
        operations,
        lastNote(operations).anchor,
      ]
    }
  }
  await checkAll(t, media())
})

await t.test('a power failure while a killed session is recovered loses nothing that was shown', async (t) => {
  const storage = new FaultStorage()
  await life(storage)
  const random = seededRandom(7)
  const failures: string[] = []
  let checked = 0
  for (const operations of cuts(storage.operations)) {
    if (!lastNote(operations).isCreated || random() > (IS_LONG ? 0.3 : 0.008)) continue
    const killed = FaultStorage.afterKill(operations)
    await session(killed, [[1, 100]], false)
    for (let count = operations.length; count <= killed.operations.length; count++) {
      if (killed.operations[count]?.kind === 'mark') continue
      const done = killed.operations.slice(0, count)
      for (const luck of ['none' as const, random]) {
        const medium = FaultStorage.holding(mediumAfter(done, luck))
        const problem = await check(medium, lastNote(done), lastNote(done).anchor).catch((error: unknown) =>
          String(error),
        )
        if (problem !== undefined) failures.push(`killed at ${operations.length}, failed at ${count}: ${problem}`)
        checked++
      }
    }
  }
  t.same(failures, [], `${checked} crashes`)
})
