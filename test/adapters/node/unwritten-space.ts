/** The space that a killed session had reserved costs nothing to open, and what lies behind a hole is found all the same. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileStorage } from '../../../src/adapters/node/file-storage.js'
import type { AppendedBatch } from '../../../src/engine/log/types.js'
import { CountingStorage } from '../../helpers/counting-storage.js'
import { create, draft, numbersOf, open } from '../../helpers/log-workbench.js'

const NAME = '0000000001.seg'
const MIB = 1024 * 1024

interface Killed {
  storage: FileStorage
  path: string
  batches: AppendedBatch[]
}

/** A log of three batches that was never closed, all of them durable, and without an anchor. */
async function killed(t: Test): Promise<Killed> {
  const base = mkdtempSync(join(tmpdir(), 'atefs-unwritten-'))
  t.teardown(() => rmSync(base, { recursive: true }))
  const storage = new FileStorage(base)
  await create(storage)
  const { log } = await open({ storage })
  const batches: AppendedBatch[] = []
  for (const number of [1, 2, 3]) batches.push(...(await log.append([draft(number, 2 * MIB, 64 * 1024)])))
  return { storage, path: join(base, NAME), batches }
}

/** The file system knows that [from, to) of the file was never written. */
function leaveUnwritten(path: string, from: number, to: number): void {
  const bytes = readFileSync(path)
  truncateSync(path, from)
  truncateSync(path, bytes.length)
  const fd = openSync(path, 'r+')
  for (let at = to; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at)
  closeSync(fd)
}

await t.test('what a killed session had reserved is not read', async (t) => {
  const { storage, path, batches } = await killed(t)
  const written = batches.at(-1)?.endPosition ?? 0
  t.ok(statSync(path).size > written + 50 * MIB, 'there is much of it')
  const segment = await storage.openSegment(NAME, 'read')
  const dataEnd = await segment.dataEnd()
  await segment.close()
  if (dataEnd > written + 16 * MIB) return t.pass('this file system does not tell what was never written')
  const counting = new CountingStorage(storage)
  const { log, batches: found } = await open({ storage: counting })
  await log.close()
  t.same(numbersOf(found), [1, 2, 3])
  t.ok(counting.bytesRead < written + 16 * MIB, `${counting.bytesRead} bytes were read`)
})

await t.test('a durable batch that became a hole is damage: the frame behind it is found', async (t) => {
  const { storage, path, batches } = await killed(t)
  leaveUnwritten(path, batches[0]?.endPosition ?? 0, batches[1]?.endPosition ?? 0)
  await t.rejects(open({ storage }), { code: 'CHAIN_DAMAGED', message: /a frame is missing before a later one/ })
})
