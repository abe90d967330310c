/** The sizes that `docs/format.md` works out are those of the code: what is sealed and framed here has the lengths it names. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { signingKeyFromSeed } from '../../../../src/engine/crypto/signature.js'
import { MAX_SLOTS } from '../../../../src/engine/keyring/keyring-file.js'
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_GROUPS,
  MAX_BODY_BYTES,
  MAX_KEYRING_BYTES,
  MAX_RECORD_VALUE_BYTES,
  METADATA_GROUP_BYTES,
  SEGMENT_BYTES,
} from '../../../../src/engine/limits.js'
import { macAuthor, provenAuthor, type BatchAuthor } from '../../../../src/engine/log/batch-author.js'
import { EMPTY_CHAIN } from '../../../../src/engine/log/chain-state.js'
import { TABLE_ENTRY_BYTES } from '../../../../src/engine/log/format/batch-header.js'
import { CURRENT_FORMAT } from '../../../../src/engine/log/format/feature-flags.js'
import { FRAME_ALIGNMENT_BYTES } from '../../../../src/engine/log/format/frame-head.js'
import { encodeManifest, MAX_SEGMENTS, type SegmentEntry } from '../../../../src/engine/log/format/manifest-format.js'
import { FrameBuilder } from '../../../../src/engine/log/frame-builder.js'
import { NOTHING_SIGNED, planProofs, type ProofPlan } from '../../../../src/engine/log/proof-plan.js'
import { GroupSealer, MAX_SEALS_PER_KEY } from '../../../../src/engine/log/group-sealer.js'
import { GROUP_CONTENT, GROUP_RECORDS, type GroupDraft, type GroupKind } from '../../../../src/engine/log/types.js'
import { crypto, keys } from '../../../helpers/log-workbench.js'
import { projectRoot } from '../../../helpers/source-files.js'

const KIB = 1024
const MIB = 1024 * KIB

const page = readFileSync(join(projectRoot, 'docs/format.md'), 'utf8').replaceAll(/\s+/g, ' ')
const sizes = page.slice(page.indexOf('## Sizes'))

/** As the page writes it: 8,426,512. */
const text = (count: number): string => count.toLocaleString('en-US')
const percentMore = (stored: number, content: number): string => `${(100 * (stored / content - 1)).toFixed(2)} %`

const sealer = new GroupSealer(crypto, keys)
const mac = macAuthor(crypto, keys.author)
const proven = provenAuthor(crypto, keys.author)
const signer = signingKeyFromSeed(new Uint8Array(64).fill(3))

function groupOf(kind: GroupKind, bytes: number): GroupDraft {
  return { kind, number: 1, parts: [new Uint8Array(bytes)] }
}

/** Bytes that a group of so much content takes. */
function groupBytes(contentBytes: number): number {
  const target = new Uint8Array(contentBytes + KIB)
  return sealer.seal(groupOf(GROUP_CONTENT, contentBytes), target, 0).storedBytes
}

/** Bytes of the frame of a batch as it is written: with its padding, and without. */
function frameBytes(
  groups: GroupDraft[],
  author: BatchAuthor = mac,
  plan = NOTHING_SIGNED,
): { padded: number; exact: number } {
  const builder = new FrameBuilder(crypto, keys, author, sealer)
  const context = {
    state: EMPTY_CHAIN,
    durableSequence: 0,
    timeMs: 0,
    segment: 1,
    salt: new Uint8Array(16),
    position: 0,
    plan,
  }
  const { batch } = builder.build({ groups }, context, new Uint8Array(builder.bytesOf({ groups }, plan)), 0)
  const last = batch.groups.at(-1)
  return { padded: batch.endPosition, exact: last === undefined ? 0 : last.position + last.storedBytes }
}

/** What a batch takes besides its groups and its table. */
function batchBytes(author: BatchAuthor = mac, plan = NOTHING_SIGNED): number {
  return frameBytes([groupOf(GROUP_CONTENT, 1)], author, plan).exact - groupBytes(1) - TABLE_ENTRY_BYTES
}

function manifestBytes(count: number): number {
  const segments = Array.from({ length: count }, (_, i): SegmentEntry => {
    const closing = { length: SEGMENT_BYTES, lastPosition: 152, lastSequence: i + 1, lastDigest: new Uint8Array(32) }
    return { number: i + 1, firstSequence: i + 1, closing }
  })
  const chainId = new Uint8Array(16)
  const manifest = { format: CURRENT_FORMAT, chainId, suite: 1, createdMs: 0, generation: 1, segments }
  return encodeManifest(crypto, new Uint8Array(32), manifest).length
}

t.test('the sizes of groups', (t) => {
  const [small, large] = [groupBytes(4096), groupBytes(MAX_BODY_BYTES)]
  const more = percentMore(large, MAX_BODY_BYTES)
  t.match(
    sizes,
    `A group of 4,096 bytes of content takes ${text(small)}; one of ${MAX_BODY_BYTES / KIB} KiB ${text(large)} (${more} more).`,
  )
  t.end()
})

t.test('the sizes of batches', (t) => {
  const fixed = batchBytes()
  const padding = FRAME_ALIGNMENT_BYTES - 1
  t.match(
    sizes,
    `A batch takes ${fixed} bytes of frame and head, ${TABLE_ENTRY_BYTES} a group in the table, and up to ${padding} of padding.`,
  )
  const [records, content] = [groupBytes(300), groupBytes(4096)]
  const small = frameBytes([groupOf(GROUP_RECORDS, 300), groupOf(GROUP_CONTENT, 4096)])
  t.match(
    sizes,
    `a group of 300 bytes of records (${records}) and one of 4,096 bytes of content (${text(content)}): ` +
      `${fixed} + ${2 * TABLE_ENTRY_BYTES} + ${text(records + content)} = ${text(small.exact)}, padded ${text(small.padded)}.`,
  )
  const more = (plan = NOTHING_SIGNED): number => batchBytes(proven, plan) - fixed
  const [alone, first] = [more(planFor(1).at(-1)), more(planFor(10)[0])]
  t.match(
    sizes,
    `a batch takes ${more()} bytes more, and each signature ${text(alone - more())}: one commit alone ${text(alone)}. Of 10 that ` +
      `are written together and signed by one key the first nine take ${first} bytes more, and the last one ${text(more(planFor(10).at(-1)))}.`,
  )
  t.end()
})

t.test('the size of a large batch', (t) => {
  const bodies = (8 * MIB) / MAX_BODY_BYTES
  const groups = Array.from({ length: bodies }, () => groupOf(GROUP_CONTENT, MAX_BODY_BYTES))
  const large = frameBytes([...groups, groupOf(GROUP_RECORDS, METADATA_GROUP_BYTES)])
  const more = percentMore(large.padded, 8 * MIB + METADATA_GROUP_BYTES)
  t.match(
    sizes,
    `8 MiB of content in ${bodies} groups with ${METADATA_GROUP_BYTES / KIB} KiB of records: ` +
      `${batchBytes()} + ${bodies + 1} x ${TABLE_ENTRY_BYTES} + ${bodies} x ${text(groupBytes(MAX_BODY_BYTES))} + ` +
      `${text(groupBytes(METADATA_GROUP_BYTES))} = ${text(large.exact)}, padded ${text(large.padded)} bytes: ` +
      `${more} more than what is in it.`,
  )
  t.end()
})

t.test('the size of a manifest', (t) => {
  const count = 2 ** 40 / SEGMENT_BYTES
  const megabytes = (manifestBytes(count) / 1e6).toFixed(1)
  t.match(
    sizes,
    `A log of 1 TiB has ${text(count)} segments of ${SEGMENT_BYTES / MIB} MiB and a manifest of ${megabytes} MB.`,
  )
  t.match(sizes, `The manifest's limit of 16 MiB is at ${text(MAX_SEGMENTS)} segments.`)
  t.ok(manifestBytes(MAX_SEGMENTS) <= 16 * MIB && manifestBytes(MAX_SEGMENTS + 1) > 16 * MIB, 'and it is')
  t.end()
})

t.test('the lengths of authentications and the limits', (t) => {
  const stated = [
    `length of the authentication: ${mac.authBytes(NOTHING_SIGNED)}, or with a proof ${proven.authBytes(NOTHING_SIGNED)} and more `,
    `At most 2^${Math.log2(MAX_SEALS_PER_KEY)} groups are sealed under one salt`,
    `number of groups, at most ${text(MAX_BATCH_GROUPS)} `,
    `All groups of a batch have at most ${MAX_BATCH_BYTES / MIB} MiB together.`,
    `A segment is closed when it is longer than ${SEGMENT_BYTES / MIB} MiB`,
    `payload: the value, at most ${MAX_RECORD_VALUE_BYTES / KIB} KiB`,
    `At most ${MAX_SLOTS} slots and ${MAX_KEYRING_BYTES / MIB} MiB.`,
  ]
  for (const sentence of stated) t.match(page, sentence)
  t.end()
})

/** Of so many batches that one key signs together. */
function planFor(count: number): ProofPlan[] {
  return planProofs(Array.from({ length: count }, () => ({ groups: [], signers: [signer] })))
}
