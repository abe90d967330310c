/**
 * Copies the closed segments of a chain to another directory, without any key: what is copied is sealed. The manifest comes
 * last, so that a backup that was interrupted is the one before it, which the next one completes.
 */
import { readdirSync } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackupOptions, BackupReport, CopyProgress } from '../../engine/chain/chain-keeping.js'
import { equalBytes } from '../../engine/bytes/equal.js'
import { crc32 } from '../../engine/crypto/crc32.js'
import { AteError } from '../../engine/error.js'
import { MAX_KEYRING_BYTES, MAX_MANIFEST_BYTES } from '../../engine/limits.js'
import { decodeManifest, type Manifest, type SegmentEntry } from '../../engine/log/format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from '../../engine/log/format/segment-header.js'
import { MANIFEST_NAME, segmentName } from '../../engine/log/format/segment-name.js'
import { lockChain } from './chain-lock.js'
import { KEYRING_FILE, PLAIN_KEY_FILE } from './chain-secret.js'
import { type CopyWatch, copySegment, digestOfFile } from './copy-segment.js'
import { fileError } from './file-error.js'
import { FileStorage } from './file-storage.js'
import { makeDirectory } from './make-directory.js'
import { DIGESTS_NAME, encodeDigests, readDigests, type SegmentDigests } from './segment-digests.js'
import { demandWanted } from './wanted.js'

const COPY_SUFFIX = '.copy'
/** What a backup, or one that was opened, has. */
const OWN_NAMES = /^(lock|manifest|keyring|key|digests|index|spare|\d{10}\.seg(\.copy)?|.*\.new)$/

/** `from`: a chain whose last segment holds nothing, and of which no space is given back meanwhile. */
export async function backupDirectory(from: string, to: string, options: BackupOptions): Promise<BackupReport> {
  makeBackupDirectory(to)
  const lock = lockChain(to, { readOnly: false })
  try {
    const report = await new Backup(from, to, options).run()
    lock.finish()
    return report
  } finally {
    lock.release()
  }
}

class Backup {
  readonly #from: string
  readonly #to: string
  readonly #source: FileStorage
  readonly #target: FileStorage
  readonly #options: BackupOptions

  constructor(from: string, to: string, options: BackupOptions) {
    this.#from = from
    this.#to = to
    this.#source = new FileStorage(from)
    this.#target = new FileStorage(to)
    this.#options = options
  }

  async run(): Promise<BackupReport> {
    await this.#checkKey()
    const manifest = await this.#source.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if (manifest === undefined) throw new AteError('NOT_A_CHAIN', 'There is no manifest here.')
    const { segments, chainId } = decodeManifest({ crc32 }, manifest)
    const before = await this.#manifestBefore()
    demandContinuation(before, { segments, chainId })
    const { digests, copied } = await this.#copy(segments, before)
    await this.#verify(digests, copied)
    for (const number of copied.keys()) await this.#putInPlace(segmentName(number))
    await this.#copyKeys()
    await this.#target.replaceSmall(DIGESTS_NAME, encodeDigests(digests))
    await this.#target.replaceSmall(MANIFEST_NAME, manifest)
    return reportOf(segments, copied)
  }

  async #manifestBefore(): Promise<Manifest | undefined> {
    const bytes = await this.#target.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    return bytes === undefined ? undefined : decodeManifest({ crc32 }, bytes)
  }

  /** The digests of all files that the manifest lists, and the lengths of those that were copied now. */
  async #copy(
    segments: readonly SegmentEntry[],
    before: Manifest | undefined,
  ): Promise<{ digests: SegmentDigests; copied: Map<number, number> }> {
    const known = await readDigests(this.#target)
    const digests: SegmentDigests = new Map()
    const copied = new Map<number, number>()
    const missing: { number: number; length: number }[] = []
    for (const entry of segments) {
      const { number } = entry
      // What is being written holds nothing that belongs to the backup.
      const length = entry.closing?.length ?? SEGMENT_HEADER_BYTES
      const there = known.get(number)
      const isThere = there?.length === length && isListed(before, entry) && (await this.#hasFile(number, length))
      if (isThere) digests.set(number, there)
      else missing.push({ number, length })
    }
    const watch = this.#watch('copying', missing)
    for (const { number, length } of missing) {
      const name = segmentName(number)
      const to = join(this.#to, name + COPY_SUFFIX)
      digests.set(number, { length, digest: await copySegment(join(this.#from, name), to, length, watch) })
      copied.set(number, length)
    }
    return { digests, copied }
  }

  async #verify(digests: SegmentDigests, copied: ReadonlyMap<number, number>): Promise<void> {
    const { quick = false } = this.#options
    const files = [...digests].filter(([number]) => !quick || copied.has(number))
    const watch = this.#watch(
      'verifying',
      files.map(([, file]) => file),
    )
    for (const [number, { length, digest }] of files) {
      const name = segmentName(number) + (copied.has(number) ? COPY_SUFFIX : '')
      if (equalBytes(await digestOfFile(join(this.#to, name), length, watch), digest)) continue
      throw new AteError('CHAIN_DAMAGED', `The file ${name} of the backup is not what was copied.`, {
        hint: 'Remove it there and make the backup again; look at the disk.',
      })
    }
  }

  #watch(phase: CopyProgress['phase'], files: readonly { length: number }[]): CopyWatch {
    const { signal, onProgress } = this.#options
    const totalBytes = files.reduce((sum, { length }) => sum + length, 0)
    let doneBytes = 0
    const onBytes = (bytes: number): void => onProgress?.({ phase, doneBytes: (doneBytes += bytes), totalBytes })
    return { signal, onBytes }
  }

  async #hasFile(number: number, length: number): Promise<boolean> {
    const found = await stat(join(this.#to, segmentName(number))).catch(() => undefined)
    return found?.isFile() === true && found.size === length
  }

  async #putInPlace(name: string): Promise<void> {
    try {
      demandWanted(this.#options.signal)
      await rename(join(this.#to, name + COPY_SUFFIX), join(this.#to, name))
    } catch (error) {
      throw fileError('put in place', name, error)
    }
  }

  async #checkKey(): Promise<void> {
    const hasKey = (await this.#source.list()).includes(PLAIN_KEY_FILE)
    if (hasKey && this.#options.withKey === undefined)
      throw new AteError(
        'BAD_ARGUMENT',
        'This chain has no passphrase: with its key, whoever has the backup can read it.',
        {
          hint: 'Say withKey: true to copy the key, or false to keep it elsewhere; without it the backup cannot be opened.',
        },
      )
  }

  async #copyKeys(): Promise<void> {
    const names = this.#options.withKey === true ? [KEYRING_FILE, PLAIN_KEY_FILE] : [KEYRING_FILE]
    for (const name of names) {
      const bytes = await this.#source.readSmall(name, MAX_KEYRING_BYTES)
      if (bytes !== undefined) await this.#target.replaceSmall(name, bytes)
    }
  }
}

/** OTHER_CHAIN; CHAIN_NEWER or CHAIN_FORKED when the backup has something that the chain has not. */
function demandContinuation(before: Manifest | undefined, chain: Pick<Manifest, 'chainId' | 'segments'>): void {
  if (before === undefined) return
  if (!equalBytes(before.chainId, chain.chainId))
    throw new AteError('OTHER_CHAIN', 'The directory holds a backup of another chain.')
  const closed = before.segments.filter(({ closing }) => closing !== undefined)
  const missing = closed.find((entry) => !isListed(chain, entry))
  if (missing === undefined) return
  const end = chain.segments.findLast(({ closing }) => closing !== undefined)?.closing?.lastSequence ?? 0
  const hint = 'The chain was rolled back or restored since. Make a backup of it in another directory.'
  if (end < missing.firstSequence) throw new AteError('CHAIN_NEWER', 'The backup is newer than the chain.', { hint })
  throw new AteError('CHAIN_FORKED', 'The backup has another history than the chain.', { hint })
}

function isListed(manifest: Pick<Manifest, 'segments'> | undefined, { number, closing }: SegmentEntry): boolean {
  const found = manifest?.segments.find((entry) => entry.number === number)?.closing
  if (found === undefined || closing === undefined) return false
  return found.length === closing.length && equalBytes(found.lastDigest, closing.lastDigest)
}

function makeBackupDirectory(directory: string): void {
  let names: string[]
  try {
    makeDirectory(directory, 0o700)
    names = readdirSync(directory)
  } catch (error) {
    throw fileError('make', 'the directory of the backup', error)
  }
  if (names.every((name) => OWN_NAMES.test(name))) return
  throw new AteError('NOT_A_CHAIN', `${directory} holds something else than a backup.`, {
    hint: 'Give a directory that is empty, or not there yet.',
  })
}

function reportOf(segments: readonly SegmentEntry[], copied: ReadonlyMap<number, number>): BackupReport {
  const closed = segments.filter(({ closing }) => closing !== undefined)
  const isClosed = new Set(closed.map(({ number }) => number))
  const copies = [...copied].filter(([number]) => isClosed.has(number))
  return {
    sequence: closed.at(-1)?.closing?.lastSequence ?? 0,
    segments: closed.length,
    bytes: closed.reduce((sum, { closing }) => sum + (closing?.length ?? 0), 0),
    copiedSegments: copies.length,
    copiedBytes: copies.reduce((sum, [, length]) => sum + length, 0),
  }
}
