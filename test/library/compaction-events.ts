/** A compaction beside those who are told of changes: neither keeps anything from the other for long. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  AteConfig,
  type Chain,
  ChainBuilder,
  type CollectionEvent,
  dataType,
  errorCode,
  type ObjectKey,
  plain,
  service,
} from '../../src/index.js'

const MiB = 1024 * 1024
/** Of a MiB of content, which lies in so many bodies. */
const BODIES = 16
const Blob = dataType('Blob', plain<{ bytes: Uint8Array }>())
const Job = dataType('Job', plain<{ number: number }>())
const echo = service('echo', Job, Job)
const filled = (value: number) => ({ bytes: new Uint8Array(MiB).fill(value) })

async function open(t: Test): Promise<Chain> {
  const root = mkdtempSync(join(tmpdir(), 'atefs-library-'))
  const config = AteConfig.default().with({
    logPath: root,
    anchorPath: join(root, 'anchors'),
    compactMode: 'never',
    bodyCacheBytes: 0,
  })
  const chain = await new ChainBuilder(config).open('blobs')
  t.teardown(async () => {
    await chain.close()
    rmSync(root, { recursive: true })
  })
  return chain
}

/** Two blobs, of which one is replaced, in a closed segment. */
async function replaceOne(chain: Chain): Promise<{ kept: ObjectKey; changed: ObjectKey }> {
  const { kept, changed } = await chain.transact((dio) => ({
    kept: dio.store(filled(1), { type: Blob }).key,
    changed: dio.store(filled(2), { type: Blob }).key,
  }))
  await chain.transact(async (dio) => ((await dio.load(Blob, changed)).bytes = filled(3).bytes))
  await chain.rotate()
  return { kept, changed }
}

function wordOf(event: CollectionEvent<typeof Blob>): string {
  return event.kind === 'deleted' ? 'deleted' : `${event.kind} ${event.dao.bytes[0]}`
}

await t.test(
  'an event of a version that was dropped before it was taken ends in LAGGED; what is there is read',
  async (t) => {
    const chain = await open(t)
    const [all, one] = [chain.dio().subscribeToRoots(Blob), chain.dio().subscribeToRoots(Blob)]
    const { changed } = await replaceOne(chain)
    t.ok((await chain.compact()).bodies >= BODIES)
    const told: string[] = []
    const reading = (async () => {
      for await (const event of all) told.push(wordOf(event))
    })()
    t.equal(await reading.catch(errorCode), 'LAGGED')
    t.ok(told.length < 2 && told.every((word) => word === 'stored 1'), 'those before it')
    t.ok((await all.next()).done, 'and nothing more comes')
    const codes: unknown[] = []
    for (let i = 0; i < 3; i++) codes.push(await one.next().then(({ done }) => done === true, errorCode))
    t.ok(codes.includes('LAGGED'))
    t.equal((await chain.dio().load(Blob, changed)).bytes[0], 3)
  },
)

await t.test(
  'who is told of changes, handles messages or serves keeps no older state from being dropped',
  async (t) => {
    const chain = await open(t)
    await replaceOne(chain)
    const end = new AbortController()
    const { signal } = end
    const events = chain.dio().subscribeToRoots(Blob)
    const queue = await chain.queue('jobs', Job)
    await queue.send({ number: 1 })
    const handled = new Promise<void>((resolve) => {
      void queue.process(() => resolve(), { signal })
    })
    const serving = chain.serve(echo, ({ number }) => ({ number }), { signal })
    await handled
    t.equal((await chain.invoke(echo, { number: 2 })).number, 2)
    await chain.transact((dio) => dio.deleteRoots(Blob))
    const report = await chain.compact()
    t.notOk(report.isDeferred)
    t.ok(report.bodies >= 3 * BODIES)
    end.abort()
    await serving
    const first = await events.next()
    t.equal(first.done === true ? 'the end' : wordOf(first.value), 'deleted')
  },
)
