/**
 * Cuts a copy of a chain back to a point of its history: what came behind it lies in a file beside it then, as an export. A
 * copy that ends there is made beside it, of links where files do not change any more, and takes its place at once.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { copyFile, link, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deriveChainKeys, wipeChainKeys } from '../../engine/crypto/chain-keys.js'
import { wipe } from '../../engine/crypto/wipe.js'
import { AteError } from '../../engine/error.js'
import { FEATURE_DROPS, trustOf } from '../../engine/log/format/feature-flags.js'
import { lastClosedSequence, type Manifest, type SegmentEntry } from '../../engine/log/format/manifest-format.js'
import { MANIFEST_NAME, segmentName, SPARE_NAME } from '../../engine/log/format/segment-name.js'
import { type BatchBytes, type BatchSource, createLog, endOfLog, exportRange } from '../../engine/log/index.js'
import { hasHistory, type LogEnd, proofRuns, readBatches } from '../../engine/log/index.js'
import { ManifestFile } from '../../engine/log/manifest-file.js'
import { LOCK_NAME, lockChain } from './chain-lock.js'
import { openIdentity } from './chain-secret.js'
import { fileError } from './file-error.js'
import { FileStorage } from './file-storage.js'
import type { ImportPlaces } from './import-range.js'
import { makeDirectory } from './make-directory.js'
import { nativeCrypto } from './native-crypto.js'
import { openChain } from './open-chain.js'
import { freeName, replaceDirectory, syncDirectory } from './replace-directory.js'
import { placeOf } from './set-aside-place.js'

const NOT_KEPT = new Set([MANIFEST_NAME, SPARE_NAME, LOCK_NAME])

export interface CutReport {
  /** What was cut off: an export of that range. Undefined: there was nothing behind the point. */
  setAside: string | undefined
  /** How many batches that are. */
  batches: number
  /** The copy as it was, where that was wanted: `<first>-<last>.chain`, or an end of that, beside the export. */
  before?: string | undefined
}

/**
 * Nobody may have the chain open; it keeps what lies in its directory besides. A crash leaves it as it was, or cut: what is cut
 * off is durable before. CHAIN_FORKED when the chain has not that point; NOT_SUPPORTED when records are forgotten that it needs then; CHAIN_LOCKED, CHAIN_DAMAGED, WRONG_PASSPHRASE, NO_SPACE, ...
 */
export async function cutBackDirectory(
  places: ImportPlaces,
  to: LogEnd,
  { keepsBefore = false } = {},
): Promise<CutReport> {
  const { directory } = places
  const staged = `${directory}.cutting`
  const lock = lockChain(directory, { readOnly: false })
  const storage = new FileStorage(directory)
  const identity = await openIdentity(storage, places.secret).catch((error: unknown) => {
    lock.release()
    throw error
  })
  const keys = deriveChainKeys(nativeCrypto, identity.rootKey, identity.chainId, identity.suite)
  wipe(identity.rootKey)
  try {
    const source = { storage, crypto: nativeCrypto, keys }
    const end = await endOfLog(source)
    if (end.sequence < to.sequence || !(await hasHistory(source, to)))
      throw new AteError('CHAIN_FORKED', `This copy of the chain has another batch ${to.sequence}.`)
    if (end.sequence === to.sequence) return { setAside: undefined, batches: 0 }
    await demandRemembered(source, to)
    const setAside = await exportTail(source, placeOf(directory), to, end)
    await copyUpTo(places, source, staged, to)
    const batches = end.sequence - to.sequence
    const kept = freeName(join(placeOf(directory), `${to.sequence + 1}-${end.sequence}`), 'chain')
    const aside = replaceDirectory(staged, directory, keepsBefore ? kept : freeName(directory, 'replaced'))
    if (aside !== undefined && !keepsBefore) rmSync(aside, { recursive: true, force: true })
    if (!keepsBefore) return { setAside, batches }
    syncDirectory(placeOf(directory))
    return { setAside, batches, before: aside }
  } catch (error) {
    throw fileError('cut', 'the copy of the chain', error)
  } finally {
    rmSync(staged, { recursive: true, force: true })
    wipeChainKeys(keys)
    lock.release()
  }
}

/**
 * Makes a copy of the chain in `staged` that ends there, of links where files do not change any more. Nobody may change the chain
 * meanwhile. NOT_SUPPORTED when records are forgotten that it needs then.
 */
export async function copyUpTo(places: ImportPlaces, source: BatchSource, staged: string, to: LogEnd): Promise<void> {
  await demandRemembered(source, to)
  rmSync(staged, { recursive: true, force: true })
  makeDirectory(staged, 0o700)
  const copyRest = (from: number): Promise<void> => takeIn(places, source, staged, from, to.sequence)
  await stageUpTo({ directory: places.directory, source, staged }, to, copyRest)
}

/**
 * What the chain held there must follow from records that it still has: a batch says which those are, in a segment that is kept
 * as it is.
 */
export async function demandRemembered(source: BatchSource, to: LogEnd): Promise<void> {
  const { forgotten, segments } = (await ManifestFile.load(source.storage, source.crypto, source.keys)).current
  if (forgotten === undefined) return
  const kept = lastClosedSequence(segmentsUpTo(segments, to))
  if (kept > forgotten.sequence)
    for await (const { forgets } of readBatches(source, forgotten.sequence + 1, kept))
      if (forgets >= forgotten.sequence) return
  throw new AteError('NOT_SUPPORTED', `Records are forgotten that the chain needs to end with batch ${to.sequence}.`, {
    hint: 'A backup of that time has them.',
  })
}

function segmentsUpTo(segments: readonly SegmentEntry[], to: LogEnd): SegmentEntry[] {
  return segments.filter(({ closing }) => closing !== undefined && closing.lastSequence <= to.sequence)
}

/** The file, durable. */
export async function exportTail(source: BatchSource, place: string, to: LogEnd, end: LogEnd): Promise<string> {
  makeDirectory(place, 0o700)
  const path = freeName(join(place, `${to.sequence + 1}-${end.sequence}`), 'export')
  const fd = openSync(`${path}.new`, 'w', 0o600)
  try {
    const range = { from: to.sequence + 1, to: end.sequence, key: undefined, end: () => Promise.resolve(end) }
    for await (const piece of exportRange(source, range)) writeAll(fd, piece)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
  syncDirectory(place)
  return path
}

function writeAll(fd: number, piece: Uint8Array): void {
  for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at)
}

/** A log that ends with a batch, made of another one: `takeIn` adds the batches from one on that lie in a segment that goes on behind it. */
export async function stageUpTo(
  { directory, source, staged }: { directory: string; source: BatchSource; staged: string },
  to: LogEnd,
  takeIn: (from: number) => Promise<void>,
): Promise<void> {
  const { current } = await ManifestFile.load(source.storage, source.crypto, source.keys)
  const kept = segmentsUpTo(current.segments, to)
  await stageFiles(directory, staged, kept)
  await stageManifest(source, staged, current, kept)
  const from = (kept.at(-1)?.closing?.lastSequence ?? 0) + 1
  if (from <= to.sequence) await takeIn(from)
}

/** Closed segments, and whatever else lies there but the log and its index. */
async function stageFiles(directory: string, staged: string, kept: readonly SegmentEntry[]): Promise<void> {
  const wanted = new Set(kept.map(({ number }) => segmentName(number)))
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const { name } = entry
    const isOfLog = name.endsWith('.seg') || NOT_KEPT.has(name) || name.endsWith('.new')
    if (!entry.isFile() || (isOfLog && !wanted.has(name))) continue
    const [from, into] = [join(directory, name), join(staged, name)]
    if (wanted.has(name)) await link(from, into).catch(() => copyFile(from, into))
    else await copyFile(from, into)
  }
}

async function stageManifest(
  { crypto, keys }: BatchSource,
  staged: string,
  { format, createdMs, forgotten }: Manifest,
  kept: readonly SegmentEntry[],
): Promise<void> {
  const storage = new FileStorage(staged)
  await createLog({ storage, crypto, keys, clock: () => createdMs, trust: trustOf(format) })
  const manifest = await ManifestFile.load(storage, crypto, keys)
  if ((format.incompat & FEATURE_DROPS) !== 0) await manifest.allowDrops()
  await manifest.replaceSegments(kept)
  if (forgotten !== undefined) await manifest.setForgotten(forgotten)
}

/** What lies in a segment that goes on behind the point. */
async function takeIn(
  { secret, judgeModule, receiverOf }: ImportPlaces,
  source: BatchSource,
  staged: string,
  from: number,
  to: number,
): Promise<void> {
  const ignore = (): void => undefined
  const options = { readOnly: false, allowDamage: false, acceptRollback: false, onProgress: ignore, onNotice: ignore }
  // Only copies of chains that a server keeps are cut back, and those may lack content.
  const opening = { directory: staged, secret, anchorDirectory: undefined, judgeModule, isServed: true }
  const handle = await openChain({ ...opening, ...options })
  const receiver = receiverOf(handle)
  try {
    for await (const run of proofRuns(bytesOf(source, from, to)))
      await receiver.receive(run, { isDurable: false, mayMiss: true, onRefused: ignore })
  } finally {
    await receiver.close()
  }
}

export async function* bytesOf(source: BatchSource, from: number, to: number): AsyncGenerator<BatchBytes> {
  for await (const { bytes } of readBatches(source, from, to)) yield bytes
}
