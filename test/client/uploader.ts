/** What is brought to a server: at once what is waited for, and in fewer pieces what is not. */
import t from 'tap'
import { Uploader } from '../../src/client/uploader.js'
import { LEAST_REST_MS, MOST_REST_MS, MOST_TRAIL_MS, MOST_WORK_MS, UploadRests } from '../../src/client/upload-rests.js'
import { MemoryStorage } from '../../src/engine/log/memory-storage.js'
import { create, crypto, draft, keys, open } from '../helpers/log-workbench.js'
import { ManualTimers } from '../helpers/wire.js'

async function uploading(mayTrail: boolean) {
  const storage = new MemoryStorage()
  await create(storage)
  const { log } = await open({ storage })
  const timers = new ManualTimers()
  const failures: unknown[] = []
  const onFailure = (error: unknown): void => void failures.push(error)
  const source = { storage, crypto, keys }
  let nowMs = 0
  const uploader = new Uploader({ source, head: { sequence: 0 }, timers, now: () => nowMs, mayTrail, onFailure })
  let sent = 0
  const work = { pushMs: 0 }
  const push = ({ more }: { more: boolean }): void => {
    nowMs += work.pushMs
    sent += more ? 0 : 1
  }
  const target = { push, ready: () => Promise.resolve() }
  uploader.begin(target, 0)
  let number = 0
  const append = async (): Promise<void> => {
    await log.append([draft(++number, 100)])
    uploader.noteAppended(number)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const close = async (): Promise<void> => {
    await uploader.close()
    await log.close()
    t.strictSame(failures, [])
  }
  /** It may take some turns until so many are sent. */
  const reaches = async (count: number): Promise<void> => {
    for (let i = 0; i < 400 && sent < count; i++) await new Promise((resolve) => setTimeout(resolve, 5))
    t.equal(sent, count)
  }
  return { uploader, target, work, timers, append, close, reaches }
}

t.test('the first change goes at once, and what follows it closely together, a moment later', async () => {
  const { timers, append, close, reaches } = await uploading(true)
  await append()
  await reaches(1)
  await append()
  await append()
  await reaches(1)
  await timers.pass(MOST_REST_MS)
  await reaches(3)
  await close()
})

t.test('much is brought in pieces with rests between, unless somebody waits for it', async () => {
  const { uploader, work, timers, append, close, reaches } = await uploading(true)
  work.pushMs = MOST_WORK_MS + 1
  for (let i = 0; i < 5; i++) await append()
  await reaches(1)
  await timers.pass(MOST_REST_MS)
  await reaches(2)
  await timers.pass(MOST_REST_MS)
  await reaches(3)
  await uploader.sent(5)
  await reaches(5)
  await close()
})

t.test('what trails behind for a second is brought without rests', async () => {
  const { work, timers, append, close, reaches } = await uploading(true)
  work.pushMs = MOST_WORK_MS + 1
  for (let i = 0; i < 3; i++) await append()
  await reaches(1)
  work.pushMs = MOST_TRAIL_MS
  await timers.pass(MOST_REST_MS)
  await reaches(3)
  await close()
})

t.test('what is waited for goes at once', async () => {
  const { uploader, append, close, reaches } = await uploading(true)
  await append()
  await append()
  await uploader.sent(2)
  await reaches(2)
  await append()
  await reaches(2)
  uploader.hurry()
  await uploader.sent(3)
  await reaches(3)
  await close()
})

t.test('another connection is brought everything at once', async () => {
  const { uploader, target, append, close, reaches } = await uploading(true)
  await append()
  uploader.pause()
  await append()
  uploader.begin(target, 1)
  await uploader.sent(2)
  await reaches(2)
  await close()
})

t.test('where it may not trail each change goes at once', async () => {
  const { append, close, reaches } = await uploading(false)
  for (let i = 1; i <= 3; i++) {
    await append()
    await reaches(i)
  }
  await close()
})

t.test('it rests for longer after more work, within bounds', async (t) => {
  const timers = new ManualTimers()
  let over = 0
  const rests = new UploadRests(timers, () => over++)
  for (const [workedMs, trailMs, restMs] of [
    [0, 0, LEAST_REST_MS],
    [5, 0, 50],
    [60_000, 0, MOST_REST_MS],
    [60_000, MOST_TRAIL_MS - 30, 30],
  ] as const) {
    rests.begin(workedMs, trailMs)
    await timers.pass(restMs - 1)
    t.ok(rests.isResting)
    await timers.pass(1)
    t.notOk(rests.isResting)
  }
  t.equal(over, 4)
  rests.begin(100, MOST_TRAIL_MS)
  await timers.pass(0)
  t.equal(over, 5, 'what trails behind for long has none')
  rests.begin(100, 0)
  rests.end()
  await timers.pass(MOST_REST_MS)
  t.equal(over, 5)
})
