/**
 * Copies a chain file by file: what was copied before and cannot have changed is left alone, the manifest comes last. A copy that was
 * interrupted is completed by the next one. Of a chain that is being written it is one as a crash would leave it: what was durable
 * when it began is in it, and its end may be torn.
 */
import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type CopyWatch, copySegment } from '../adapters/node/copy-segment.js'
import { FileStorage } from '../adapters/node/file-storage.js'
import { makeDirectory } from '../adapters/node/make-directory.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { crc32 } from '../engine/crypto/crc32.js'
import { AteError } from '../engine/error.js'
import { MAX_KEYRING_BYTES, MAX_MANIFEST_BYTES } from '../engine/limits.js'
import { decodeManifest, type SegmentEntry } from '../engine/log/format/manifest-format.js'
import { MANIFEST_NAME, segmentName } from '../engine/log/format/segment-name.js'
import { loadDropped, saveDropped } from '../server/index.js'

const COPY_SUFFIX = '.copy'
const SMALL_FILES = ['keyring', 'turn', 'writer']

/** NOT_A_CHAIN where there is none; OTHER_CHAIN when another one lies there; ABORTED, NO_SPACE, INPUT_OUTPUT. Resolves with the bytes that were copied. */
export async function copyChain(from: string, to: string, signal: AbortSignal): Promise<number> {
  const source = new FileStorage(from)
  const manifest = await source.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
  if (manifest === undefined) throw new AteError('NOT_A_CHAIN', 'There is no manifest here.')
  makeDirectory(to, 0o700)
  const target = new FileStorage(to)
  const { segments, chainId } = decodeManifest({ crc32 }, manifest)
  const done = await copiedSegments(to, target, chainId, segments)
  let bytes = 0
  const watch: CopyWatch = { signal, onBytes: (count) => (bytes += count) }
  const copied: string[] = []
  for (const { number } of segments) {
    if (done.has(number)) continue
    const name = segmentName(number)
    const { size } = await stat(join(from, name))
    await copySegment(join(from, name), join(to, `${name}${COPY_SUFFIX}`), size, watch)
    copied.push(name)
  }
  for (const name of copied) await rename(join(to, `${name}${COPY_SUFFIX}`), join(to, name))
  for (const name of SMALL_FILES) {
    const content = await source.readSmall(name, MAX_KEYRING_BYTES)
    if (content !== undefined) await target.replaceSmall(name, content)
  }
  // Read behind the segments: what is missing there was noted before. What the copy still has is told again.
  const { keep } = await loadDropped(source)
  if (keep > 0) await saveDropped(target, { upTo: 0, keep })
  await target.replaceSmall(MANIFEST_NAME, manifest)
  return bytes
}

/**
 * Those that the copy before this one has whole: closed here as there, and the same. A chain that was cut has others of the same numbers,
 * and a copy that was interrupted may have less of one than its manifest says.
 */
async function copiedSegments(
  to: string,
  target: FileStorage,
  chainId: Uint8Array,
  wanted: readonly SegmentEntry[],
): Promise<ReadonlySet<number>> {
  const bytes = await target.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
  if (bytes === undefined) return new Set()
  const there = decodeManifest({ crc32 }, bytes)
  if (!equalBytes(there.chainId, chainId))
    throw new AteError('OTHER_CHAIN', 'A copy of another chain lies where this one is to be copied to.')
  const copied = new Map(there.segments.map((entry) => [entry.number, entry]))
  const same = wanted.filter((entry) => isSameClosed(entry, copied.get(entry.number)))
  const whole = new Set<number>()
  for (const { number, closing } of same) {
    const found = await stat(join(to, segmentName(number))).catch(() => undefined)
    if (found?.size === closing?.length) whole.add(number)
  }
  return whole
}

function isSameClosed(a: SegmentEntry, b: SegmentEntry | undefined): boolean {
  if (a.closing === undefined || b?.closing === undefined) return false
  const { length, lastPosition, lastSequence, lastDigest } = b.closing
  return (
    a.firstSequence === b.firstSequence &&
    a.closing.length === length &&
    a.closing.lastPosition === lastPosition &&
    a.closing.lastSequence === lastSequence &&
    equalBytes(a.closing.lastDigest, lastDigest)
  )
}
