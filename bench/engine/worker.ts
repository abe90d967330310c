// The process of a contender: does one job, writes its result to standard output, and ends.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { randomFillSync } from 'node:crypto'
import { contenderOf } from './contenders/all.js'
import { demand, type Store } from './contender.js'
import {
  type AppendJob,
  type AppendResult,
  type BuildJob,
  type BuildResult,
  type Job,
  type LoadJob,
  type LoadResult,
  OBJECT_BYTES,
} from './job.js'

const BUILD_BATCH = 1000
/** As long as what is timed: with less, a third of that is the compiler's. */
const WARM_UP_SHARE = 1
const SAMPLE = 50_000
const DIFFERENT_OBJECTS = 1000

const nowNs = (): number => Math.round(performance.now() * 1e6)
const sampleFile = (directory: string): string => `${directory}.sample`

/** Random bytes, each object with memory of its own. */
const objects = Array.from({ length: DIFFERENT_OBJECTS }, () => randomFillSync(new Uint8Array(OBJECT_BYTES)))

function batchOf(size: number, first: number): Uint8Array[] {
  return Array.from({ length: size }, (_, i) => demand(objects[(first + i) % DIFFERENT_OBJECTS], 'an object'))
}

async function rssAnonBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

async function appendFor(store: Store, { batch, inFlight }: AppendJob, seconds: number): Promise<number> {
  const endNs = nowNs() + seconds * 1e9
  let count = 0
  const caller = async (): Promise<void> => {
    while (nowNs() < endNs) {
      const first = count
      count += batch
      await store.append(batchOf(batch, first))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return count
}

async function append(job: AppendJob): Promise<AppendResult> {
  const { contender, directory, durability, seconds } = job
  await mkdir(directory, { recursive: true })
  const store = await contenderOf(contender).open(directory, durability)
  await appendFor(store, job, seconds * WARM_UP_SHARE)
  await store.settle()
  const cpu = process.cpuUsage()
  const startNs = nowNs()
  const count = await appendFor(store, job, seconds)
  const answeredNs = nowNs() - startNs
  const rss = await rssAnonBytes()
  await store.settle()
  const settledNs = nowNs() - startNs
  await store.close()
  const { user, system } = process.cpuUsage(cpu)
  return {
    objects: count,
    answeredNs,
    settledNs,
    closedNs: nowNs() - startNs,
    cpuNs: (user + system) * 1000,
    rssAnonBytes: rss,
  }
}

async function build({ contender, directory, objects: wanted }: BuildJob): Promise<BuildResult> {
  await mkdir(directory, { recursive: true })
  const startNs = nowNs()
  const store = await contenderOf(contender).open(directory, 'memory')
  const sample: string[] = []
  for (let made = 0; made < wanted; made += BUILD_BATCH) {
    const keys = await store.append(batchOf(Math.min(BUILD_BATCH, wanted - made), made))
    for (const key of keys) if (Math.random() < SAMPLE / wanted) sample.push(key)
    // Who never goes back to the event loop hears of nothing that has become durable.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await store.close()
  await writeFile(sampleFile(directory), JSON.stringify(sample))
  return { ns: nowNs() - startNs }
}

async function load({ contender, directory, loads, warmUp }: LoadJob): Promise<LoadResult> {
  const sample = JSON.parse(await readFile(sampleFile(directory), 'utf8')) as string[]
  const keys = Array.from({ length: loads + warmUp }, () =>
    demand(sample[Math.floor(Math.random() * sample.length)], 'a key'),
  )
  const openNs = nowNs()
  const store = await contenderOf(contender).open(directory, 'local')
  const openedNs = nowNs()
  const rssAnonAfterOpen = await rssAnonBytes()
  for (const key of keys.slice(0, warmUp)) await loadOne(store, key)
  const timed = keys.slice(warmUp)
  const startNs = nowNs()
  for (const key of timed) await loadOne(store, key)
  const loadsNs = nowNs() - startNs
  const rssAnonAfterLoads = await rssAnonBytes()
  await store.close()
  return { openNs: openedNs - openNs, rssAnonAfterOpen, loadsNs, rssAnonAfterLoads }
}

async function loadOne(store: Store, key: string): Promise<void> {
  const { length } = await store.get(key)
  if (length !== OBJECT_BYTES) throw new Error(`an object of ${length} bytes`)
}

async function perform(job: Job): Promise<object> {
  switch (job.kind) {
    case 'append':
      return append(job)
    case 'build':
      return build(job)
    case 'load':
      return load(job)
    default:
      return job satisfies never
  }
}

const job = JSON.parse(demand(process.argv[2], 'a job')) as Job
process.stdout.write(JSON.stringify(await perform(job)))
