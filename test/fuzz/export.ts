/** Exports that nobody wrote, or that were changed: errors of our own come out, nothing that was not written, in bounded memory. */
import fc from 'fast-check'
import t from 'tap'
import { errorCode } from '../../src/engine/error.js'
import { type BatchBytes, ExportReader, exportRange } from '../../src/engine/log/index.js'
import { FaultStorage } from '../helpers/fault-storage.js'
import { create, crypto, draft, keys, open } from '../helpers/log-workbench.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const parameters = { seed: 20261121, numRuns: isLong ? 20_000 : 300 }
const CODES = new Set(['BAD_FORMAT', 'UNSUPPORTED_FORMAT', 'EXPORT_DAMAGED', 'BATCH_REFUSED'])

/** Everything it holds, or the code it ends in. */
async function read(pieces: Iterable<Uint8Array>): Promise<BatchBytes[] | string> {
  const reader = new ExportReader(crypto, pieces)
  const batches: BatchBytes[] = []
  try {
    await reader.header()
    for await (const batch of reader.batches()) batches.push(batch)
    reader.verifiedEnd(keys)
    return batches
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined || !CODES.has(code)) throw error
    return code
  }
}

async function sample(): Promise<Uint8Array> {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage, segmentBytes: 16 * 1024 })
  for (let number = 1; number <= 4; number++) await log.append([draft(number, 700)])
  const { head } = log
  if (head === undefined) throw new Error('no batch')
  const pieces: Uint8Array[] = []
  const range = { from: 1, to: undefined, key: undefined, end: () => Promise.resolve(head) }
  for await (const piece of exportRange({ storage, crypto, keys }, range)) pieces.push(piece.slice())
  await log.close()
  return new Uint8Array(Buffer.concat(pieces))
}

const good = await sample()

await t.test('however it is cut into pieces, it is the same', async (t) => {
  const whole = await read([good])
  t.equal(whole.length, 4)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(good.length)), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), good.length]
      const pieces = at.slice(1).map((end, i) => good.subarray(at[i], end))
      t.strictSame(await read(pieces), whole)
    }),
    { ...parameters, numRuns: 30 },
  )
})

await t.test('bytes that nobody wrote are refused', async () => {
  const noise = fc.uint8Array({ maxLength: 400 })
  const headed = noise.map((bytes) => Buffer.concat([good.subarray(0, 80), bytes]))
  await fc.assert(
    fc.asyncProperty(fc.oneof(noise, headed), async (bytes) => typeof (await read([bytes])) === 'string'),
    parameters,
  )
})

await t.test('an export with anything changed, cut out or put in is refused', async () => {
  const change = fc.record({
    at: fc.nat(good.length - 1),
    kind: fc.constantFrom('flip', 'cut', 'put', 'end'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  })
  await fc.assert(
    fc.asyncProperty(change, async ({ at, kind, bytes }) => {
      const rest = good.subarray(kind === 'put' ? at : Math.min(good.length, at + bytes.length))
      const changed = Buffer.concat([
        good.subarray(0, at),
        ...(kind === 'put' ? [bytes, rest] : kind === 'cut' ? [rest] : []),
      ])
      if (kind === 'flip') return typeof (await read([flipped(at, bytes[0] ?? 0)])) === 'string'
      return typeof (await read([changed])) === 'string'
    }),
    parameters,
  )
})

await t.test('lengths that it claims take no memory before their bytes are there', async (t) => {
  const claims = good.slice(0, 84)
  const item = new Uint8Array(16)
  item[0] = 1
  new DataView(item.buffer).setUint32(4, 3_000_000, true)
  new DataView(item.buffer).setUint32(8, 256 * 1024 * 1024, true)
  const before = process.memoryUsage().arrayBuffers
  t.equal(await read([claims, item, new Uint8Array(1000)]), 'EXPORT_DAMAGED')
  t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
})

function flipped(at: number, mask: number): Uint8Array {
  const bytes = good.slice()
  bytes[at] = (bytes[at] ?? 0) ^ (mask === 0 ? 1 : mask)
  return bytes
}
