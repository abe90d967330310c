/** Each structure comes back as it was written, has the size that `docs/format.md` states, and refuses what it is not. */
import t from 'tap'
import { ByteReader } from '../../../../src/engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../../src/engine/bytes/byte-writer.js'
import { ANCHOR_BYTES, decodeAnchor, encodeAnchor } from '../../../../src/engine/log/format/anchor-format.js'
import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  readBatchHeader,
  readTableEntry,
  TABLE_ENTRY_BYTES,
  writeBatchHeader,
  writeTableEntry,
} from '../../../../src/engine/log/format/batch-header.js'
import { CURRENT_FORMAT, isReadOnlyFormat } from '../../../../src/engine/log/format/feature-flags.js'
import { FRAME_HEADER_BYTES } from '../../../../src/engine/log/format/frame-head.js'
import {
  GROUP_HEADER_BYTES,
  GROUP_OVERHEAD_BYTES,
  randomOf,
  readGroupHeader,
  writeGroupHeader,
} from '../../../../src/engine/log/format/group-header.js'
import { LINK_BYTES, readLink, writeLink } from '../../../../src/engine/log/format/link.js'
import {
  decodeManifest,
  encodeManifest,
  isManifestAuthentic,
  type SegmentEntry,
} from '../../../../src/engine/log/format/manifest-format.js'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
} from '../../../../src/engine/log/format/segment-header.js'
import { segmentName, segmentNumberOf } from '../../../../src/engine/log/format/segment-name.js'
import { crypto, keys } from '../../../helpers/log-workbench.js'

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

await t.test('the sizes are those of the format', async (t) => {
  t.same(
    { GROUP_HEADER_BYTES, GROUP_OVERHEAD_BYTES, LINK_BYTES, BATCH_HEADER_BYTES, TABLE_ENTRY_BYTES, FRAME_HEADER_BYTES },
    {
      GROUP_HEADER_BYTES: 100,
      GROUP_OVERHEAD_BYTES: 116,
      LINK_BYTES: 112,
      BATCH_HEADER_BYTES: 184,
      TABLE_ENTRY_BYTES: 48,
      FRAME_HEADER_BYTES: 32,
    },
  )
  t.equal(SEGMENT_HEADER_BYTES, 152)
  t.equal(ANCHOR_BYTES, 128)
})

await t.test('a group header', async (t) => {
  const stored = new Uint8Array(GROUP_OVERHEAD_BYTES + 5)
  const fields = {
    kind: 2,
    flags: 1,
    sealedBytes: 21,
    number: 2 ** 53 - 1,
    random: filled(8, 0xff),
    keyId: filled(32, 2),
    salt: filled(32, 3),
    nonce: filled(12, 4),
  }
  writeGroupHeader(stored, fields)
  t.same(readGroupHeader(stored), { ...fields, random: 2 ** 48 - 1 })
  t.equal(randomOf(stored), 2 ** 48 - 1)
  t.equal(readGroupHeader(stored.subarray(1)), undefined)
  t.equal(readGroupHeader(stored.subarray(0, 115)), undefined)
  t.equal(readGroupHeader(Uint8Array.of(...stored, 0)), undefined, 'another length than it says')
  stored[15] = 0xff
  t.equal(readGroupHeader(stored), undefined, 'a number above 2^53')
})

await t.test('a link', async (t) => {
  const link = {
    sequence: 5,
    previous: filled(32, 1),
    batchDigest: filled(32, 2),
    timeMs: 1_700_000_000_000,
    sequencer: filled(32, 3),
  }
  const writer = new ByteWriter()
  writeLink(writer, link)
  t.equal(writer.length, LINK_BYTES)
  t.same(readLink(new ByteReader(writer.view(), 'link')), link)
})

const header: BatchHeader = {
  suite: 1,
  authKind: 2,
  authBytes: 3373,
  chainId: filled(16, 1),
  authorKeyId: filled(32, 2),
  authorCounter: 7,
  authorPrevious: filled(32, 3),
  baseSequence: 8,
  baseDigest: filled(32, 4),
  keyEpoch: 9,
  groupCount: 10,
  durableSequence: 6,
  merkleRoot: filled(32, 5),
}

await t.test('a batch header and its table', async (t) => {
  const writer = new ByteWriter()
  writeBatchHeader(writer, header)
  t.equal(writer.length, BATCH_HEADER_BYTES)
  t.same(readBatchHeader(new ByteReader(writer.view(), 'batch')), header)
  const newer = writer.copy()
  newer[0] = 2
  t.throws(() => readBatchHeader(new ByteReader(newer, 'batch')), { code: 'UNSUPPORTED_FORMAT' })
  writer.reset()
  writeBatchHeader(writer, { ...header, groupCount: 65_537 })
  t.throws(() => readBatchHeader(new ByteReader(writer.view(), 'batch')), { code: 'BAD_FORMAT' })
  const entry = { kind: 2, flags: 1, number: 3, storedBytes: 200, digest: filled(32, 9) }
  writer.reset()
  writeTableEntry(writer, entry)
  t.equal(writer.length, TABLE_ENTRY_BYTES)
  t.same(readTableEntry(new ByteReader(writer.view(), 'table')), entry)
})

await t.test('a segment header is of one chain and one segment', async (t) => {
  const segment = {
    format: CURRENT_FORMAT,
    chainId: keys.chainId,
    number: 3,
    firstSequence: 4,
    salt: filled(16, 5),
    previous: filled(32, 6),
    createdMs: 7,
  }
  const bytes = encodeSegmentHeader(crypto, keys.manifestKey, segment)
  t.same(decodeSegmentHeader(crypto, keys.manifestKey, keys.chainId, 3, bytes), segment)
  t.throws(() => decodeSegmentHeader(crypto, keys.manifestKey, keys.chainId, 4, bytes), { code: 'BAD_FORMAT' })
  t.throws(() => decodeSegmentHeader(crypto, keys.manifestKey, filled(16, 0), 3, bytes), { code: 'BAD_FORMAT' })
  t.throws(() => decodeSegmentHeader(crypto, keys.anchorKey, keys.chainId, 3, bytes), { code: 'BAD_FORMAT' })
})

const closed: SegmentEntry = {
  number: 1,
  firstSequence: 1,
  closing: { length: 1000, lastPosition: 152, lastSequence: 4, lastDigest: filled(32, 8) },
}
const manifest = { format: CURRENT_FORMAT, chainId: keys.chainId, suite: 1, createdMs: 5, generation: 6 }

await t.test('a manifest', async (t) => {
  const open: SegmentEntry = { number: 3, firstSequence: 5, closing: undefined }
  const bytes = encodeManifest(crypto, keys.manifestKey, { ...manifest, segments: [closed, open] })
  t.same(decodeManifest(crypto, bytes), { ...manifest, segments: [closed, open] })
  t.equal(bytes.length, 104 + 2 * 72)
  t.ok(isManifestAuthentic(crypto, keys.manifestKey, bytes))
  t.notOk(isManifestAuthentic(crypto, keys.anchorKey, bytes))
})

await t.test('a manifest whose segments cannot follow each other is refused, though authentic', async (t) => {
  const lists: SegmentEntry[][] = [
    [{ ...closed, firstSequence: 0 }],
    [closed, { ...closed, firstSequence: 5 }],
    [closed, { number: 2, firstSequence: 6, closing: undefined }],
    [
      { number: 1, firstSequence: 1, closing: undefined },
      { ...closed, number: 2 },
    ],
    [{ ...closed, firstSequence: 5 }],
  ]
  for (const segments of lists) {
    const bytes = encodeManifest(crypto, keys.manifestKey, { ...manifest, segments })
    t.throws(() => decodeManifest(crypto, bytes), { code: 'BAD_FORMAT' })
  }
})

await t.test('unknown features refuse, allow reading, or do not matter', async (t) => {
  const withFlags = (flags: object): Uint8Array =>
    encodeManifest(crypto, keys.manifestKey, { ...manifest, format: { ...CURRENT_FORMAT, ...flags }, segments: [] })
  t.notOk(isReadOnlyFormat(decodeManifest(crypto, withFlags({ compat: 0x8000_0000 })).format))
  t.ok(isReadOnlyFormat(decodeManifest(crypto, withFlags({ roCompat: 0x8000_0000 })).format))
  t.throws(() => decodeManifest(crypto, withFlags({ incompat: 0x8000_0000 })), { code: 'UNSUPPORTED_FORMAT' })
  t.throws(() => decodeManifest(crypto, withFlags({ formatVersion: 2 })), { code: 'UNSUPPORTED_FORMAT' })
})

await t.test('an anchor is of one chain', async (t) => {
  const anchor = { sequence: 9, digest: filled(32, 1) }
  const bytes = encodeAnchor(crypto, keys, anchor)
  t.same(decodeAnchor(crypto, keys, bytes), anchor)
  t.equal(decodeAnchor(crypto, { ...keys, chainId: filled(16, 7) }, bytes), undefined)
  t.equal(decodeAnchor(crypto, keys, bytes.subarray(1)), undefined)
  t.equal(decodeAnchor(crypto, keys, new Uint8Array(0)), undefined)
})

await t.test('names of segments', async (t) => {
  t.equal(segmentName(1), '0000000001.seg')
  t.equal(segmentNumberOf('4294967295.seg'), 4_294_967_295)
  for (const name of [
    '0000000000.seg',
    '4294967296.seg',
    '1.seg',
    '0000000001.seg.new',
    'manifest',
    '000000000a.seg',
  ]) {
    t.equal(segmentNumberOf(name), undefined, name)
  }
})
