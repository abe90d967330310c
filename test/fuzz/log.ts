/**
 * Bytes that nobody wrote, and logs changed at random: nothing but AteErrors come out, in bounded work, and never data that
 * was not written.
 */
import fc from 'fast-check'
import t from 'tap'
import { isAteError } from '../../src/engine/error.js'
import { decodeAnchor } from '../../src/engine/log/format/anchor-format.js'
import {
  FRAME_HEADER_BYTES,
  readFrameHead,
  readFrameHeader,
  writeFrameHeader,
} from '../../src/engine/log/format/frame-head.js'
import { readGroupHeader } from '../../src/engine/log/format/group-header.js'
import { decodeManifest } from '../../src/engine/log/format/manifest-format.js'
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES } from '../../src/engine/log/format/segment-header.js'
import { describeChain, verifyLog } from '../../src/engine/log/index.js'
import { SegmentScanner } from '../../src/engine/log/segment-scanner.js'
import type { ReplayedBatch } from '../../src/engine/log/types.js'
import { FaultStorage, SimulatedFile } from '../helpers/fault-storage.js'
import { create, crypto, draft, keys, MemoryAnchor, open, recordsOf } from '../helpers/log-workbench.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const parameters = { seed: 20261121, numRuns: isLong ? 20_000 : 150 }

/** Runs and lets errors of our own pass. */
async function harmless<T>(run: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    if (isAteError(error)) return undefined
    throw error
  }
}

await t.test('no parser of a structure fails in any other way', async () => {
  const magic = fc
    .constantFrom('', 'ATEFSMAN\x01', 'ATEFSSEG\x01', 'ATEFSANC\x01')
    .map((text) => Buffer.from(text, 'latin1'))
  const bytes = fc
    .tuple(magic, fc.uint8Array({ maxLength: 800 }))
    .map(([start, rest]) => new Uint8Array([...start, ...rest]))
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(0xffff_ffff), async (input, length) => {
      await harmless(() => decodeManifest(crypto, input))
      await harmless(() => decodeSegmentHeader(crypto, keys.manifestKey, keys.chainId, 1, input))
      await harmless(() => readFrameHead(input, length))
      await harmless(() => readFrameHeader(input, input.subarray(0, 16)))
      await harmless(() => readGroupHeader(input))
      await harmless(() => decodeAnchor(crypto, keys, input))
    }),
    { ...parameters, numRuns: 10 * parameters.numRuns },
  )
})

function fileOf(bytes: Uint8Array): SimulatedFile {
  const file = new SimulatedFile()
  file.write(0, bytes)
  return file
}

async function everything(storage: FaultStorage, anchor: Uint8Array | undefined): Promise<ReplayedBatch[]> {
  await harmless(() => describeChain(storage))
  await harmless(async () => {
    for await (const finding of verifyLog({ storage, crypto, keys, anchor: new MemoryAnchor(anchor) })) {
      if (finding.message === '') throw new Error('a finding without words')
    }
  })
  const strict = await harmless(() => open({ storage, readOnly: true, anchor: new MemoryAnchor(anchor) }))
  const tolerant = await harmless(() => open({ storage, readOnly: true, allowDamage: true }))
  return [...(strict?.batches ?? []), ...(tolerant?.batches ?? [])]
}

await t.test('files of random bytes are no log', async () => {
  const bytes = fc.uint8Array({ maxLength: 2000 })
  await fc.assert(
    fc.asyncProperty(bytes, bytes, bytes, async (manifest, first, anchor) => {
      const files = new Map([
        ['manifest', fileOf(manifest)],
        ['0000000001.seg', fileOf(first)],
      ])
      const batches = await everything(FaultStorage.holding(files), anchor)
      if (batches.length > 0) throw new Error('batches out of nothing')
    }),
    parameters,
  )
})

async function sample(): Promise<{ files: Map<string, SimulatedFile>; anchor: Uint8Array | undefined }> {
  const storage = new FaultStorage()
  await create(storage)
  const anchor = new MemoryAnchor()
  for (const first of [1, 5]) {
    const { log } = await open({ storage, anchor, segmentBytes: 6000 })
    for (let number = first; number < first + 4; number++) await log.append([draft(number, 900, 400)])
    if (first === 1) await log.close()
  }
  const files = storage.snapshot()
  for (const file of files.values()) file.setLength(Math.min(file.length, 12_000))
  return { files, anchor: anchor.content }
}

interface Change {
  file: number
  at: number
  bytes: Uint8Array
  action: 'overwrite' | 'flip' | 'truncate' | 'copy' | 'remove' | 'append'
  from: number
}

const change = fc.record<Change>({
  file: fc.nat(10),
  at: fc.nat(12_000),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 100 }),
  action: fc.constantFrom('overwrite', 'flip', 'flip', 'flip', 'truncate', 'copy', 'remove', 'append'),
  from: fc.nat(12_000),
})

function applyChange(files: Map<string, SimulatedFile>, { file, at, bytes, action, from }: Change): void {
  const name = [...files.keys()][file % Math.max(1, files.size)]
  const target = name === undefined ? undefined : files.get(name)
  if (target === undefined || name === undefined) return
  const position = at % Math.max(1, target.length)
  if (action === 'remove') files.delete(name)
  else if (action === 'truncate') target.setLength(position)
  else if (action === 'append') target.write(target.length, bytes)
  else if (action === 'overwrite') target.write(position, bytes)
  else if (action === 'copy') target.write(position, target.read(from, 400))
  else
    target.write(
      position,
      target.read(position, 1).map((byte) => byte ^ (bytes[0] ?? 1)),
    )
}

await t.test('a log changed at random gives nothing that was not written', async () => {
  const { files, anchor } = await sample()
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const changed = new Map([...files].map(([name, file]) => [name, file.copy()]))
      for (const one of changes) applyChange(changed, one)
      for (const { sequence, records } of await everything(FaultStorage.holding(changed), anchor)) {
        const expected = Buffer.from(recordsOf(sequence))
        if (records.some((bytes) => !expected.equals(bytes)))
          throw new Error(`batch ${sequence} is not what was written`)
      }
    }),
    parameters,
  )
})

await t.test('a segment full of frames that begin everywhere is given up in bounded work', async (t) => {
  const salt = crypto.randomBytes(16)
  const storage = new FaultStorage()
  const file = await storage.openSegment('0000000001.seg', 'create')
  const bytes = new Uint8Array(4 * 1024 * 1024)
  // Every 32 bytes a header that claims the largest head there can be: each is a reason to hash three megabytes.
  for (let at = SEGMENT_HEADER_BYTES; at + FRAME_HEADER_BYTES < bytes.length; at += FRAME_HEADER_BYTES) {
    bytes.set(salt, at)
    new DataView(bytes.buffer).setUint32(at + 16, 3 * 1024 * 1024, true)
  }
  writeFrameHeader(crypto, bytes, SEGMENT_HEADER_BYTES, salt, { headBytes: 3 * 1024 * 1024, bodyBytes: 0 })
  await file.write(0, [bytes])
  let hashedBytes = 0
  const counting = {
    ...crypto,
    crc32: (part: Uint8Array, seed?: number) => {
      hashedBytes += part.length
      return crypto.crc32(part, seed)
    },
  }
  const scanner = new SegmentScanner(counting, file, salt, bytes.length)
  let position: number | undefined = SEGMENT_HEADER_BYTES
  while (position !== undefined) position = await scanner.findFrame(position + 8)
  t.ok(scanner.isExhausted)
  t.ok(hashedBytes < 40 * 1024 * 1024, `${hashedBytes} bytes`)
})
