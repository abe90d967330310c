/**
 * Takes an export into the directory of a chain. It goes to a copy of the chain beside it, made of links where files do not
 * change any more, which takes the chain's place when all of it is verified and durable: all or nothing.
 */
import { copyOf } from '../../engine/bytes/copy.js'
import { existsSync } from 'node:fs'
import { copyFile, cp, link, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RefusedBatch } from '../../engine/chain/batch-gate.js'
import { toHex } from '../../engine/bytes/hex.js'
import { equalBytes } from '../../engine/bytes/equal.js'
import { type ChainKeys, deriveChainKeys, wipeChainKeys } from '../../engine/crypto/chain-keys.js'
import { crc32 } from '../../engine/crypto/crc32.js'
import { wipe } from '../../engine/crypto/wipe.js'
import { AteError } from '../../engine/error.js'
import { MAX_KEYRING_BYTES, MAX_MANIFEST_BYTES } from '../../engine/limits.js'
import { decodeManifest } from '../../engine/log/format/manifest-format.js'
import { ManifestFile } from '../../engine/log/manifest-file.js'
import { GROUP_RECORDS } from '../../engine/log/types.js'
import { MANIFEST_NAME, segmentName } from '../../engine/log/format/segment-name.js'
import { type BatchBytes, batchVerifier, createLog, Doubts, type ExportHeader } from '../../engine/log/index.js'
import { ExportReader, hasHistory, isSettled, type LogEnd, note } from '../../engine/log/index.js'
import { proofRuns, type ReceivedBatch } from '../../engine/log/index.js'
import type { ChainHandle, ChainSecret } from './chain-handle.js'
import { lockChain } from './chain-lock.js'
import { examineChainDirectory } from './chain-presence.js'
import { KEYRING_FILE, openIdentity, PLAIN_KEY_FILE } from './chain-secret.js'
import { fileError } from './file-error.js'
import { FileStorage } from './file-storage.js'
import { nativeCrypto } from './native-crypto.js'
import { openChain } from './open-chain.js'
import { freeName, replaceDirectory } from './replace-directory.js'
import { punchZeros } from './punch-zeros.js'
import { beginStaging, type Staging } from './staging.js'
import { demandWanted } from './wanted.js'

/** How an export is taken in. */
export interface ImportOptions {
  /** ABORTED then, and nothing has changed. */
  signal?: AbortSignal | undefined
  /** Called with the sequence of each batch that was read. */
  onProgress?: ((sequence: number) => void) | undefined
}

/** What was taken in. */
export interface ImportReport {
  /** Of the last batch of the copy. */
  sequence: number
  /** How many batches are new. */
  batches: number
}

/** Takes in batches that are kept together, and the next ones when those are. */
export interface BatchReceiver {
  receive(
    run: readonly BatchBytes[],
    options: { isDurable: boolean; mayMiss: boolean; onRefused: (refused: RefusedBatch) => void },
  ): Promise<ReceivedBatch[]>
  close(): Promise<void>
}

export interface ImportPlaces {
  directory: string
  secret: ChainSecret
  /** See `OpenChainOptions`. */
  judgeModule: string
  receiverOf: (handle: ChainHandle) => BatchReceiver
  /** Told of batches of distributed trust that are taken in as refused. */
  onRefused?: ((refused: RefusedBatch) => void) | undefined
}

export async function importIntoDirectory(
  places: ImportPlaces,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportReport> {
  const { directory } = places
  const reader = new ExportReader(nativeCrypto, source)
  const lock = existsSync(directory) ? lockChain(directory, { readOnly: false }) : undefined
  let staging: Staging | undefined
  try {
    const header = await reader.header()
    staging = await beginStaging(`${directory}.importing`)
    const staged = staging.path
    if (examineChainDirectory(directory) === 'absent') await stageNew(staged, header, places.secret)
    else await stageCopy(directory, staged)
    const report = await intake(places, staged, reader, header, options)
    const aside =
      report.batches > 0 || !existsSync(join(directory, MANIFEST_NAME))
        ? replaceDirectory(staged, directory, freeName(directory, 'replaced'))
        : undefined
    // All that it has is in what took its place.
    if (aside !== undefined) await rm(aside, { recursive: true, force: true })
    return report
  } catch (error) {
    throw fileError('take the export into', 'the chain', error)
  } finally {
    await staging?.end()
    lock?.release()
    await reader.close()
  }
}

async function stageNew(
  staged: string,
  { key, chainId, trust, from }: ExportHeader,
  secret: ChainSecret,
): Promise<void> {
  if (from !== 1)
    throw new AteError('CHAIN_GAP', `The export begins with batch ${from}, and there is no copy of the chain.`, {
      hint: 'Begin with a backup, or with an export from batch 1.',
    })
  if (key === undefined)
    throw new AteError('NO_PASSPHRASE', 'The export brings no key, and there is no copy of the chain.', {
      hint: 'Export it with withKey: true.',
    })
  const storage = new FileStorage(staged)
  await storage.replaceSmall(key.kind === 'keyring' ? KEYRING_FILE : PLAIN_KEY_FILE, key.bytes)
  const identity = await openIdentity(storage, secret)
  const keys = deriveChainKeys(nativeCrypto, identity.rootKey, identity.chainId, identity.suite)
  wipe(identity.rootKey)
  try {
    if (!equalBytes(identity.chainId, chainId)) throw otherChain()
    await createLog({ storage, crypto: nativeCrypto, keys, clock: Date.now, trust })
  } finally {
    wipeChainKeys(keys)
  }
}

/** What is closed is linked; the rest is copied. */
async function stageCopy(directory: string, staged: string): Promise<void> {
  const [from, to] = [new FileStorage(directory), new FileStorage(staged)]
  for (const name of [KEYRING_FILE, PLAIN_KEY_FILE]) {
    const bytes = await from.readSmall(name, MAX_KEYRING_BYTES)
    if (bytes !== undefined) await to.replaceSmall(name, bytes)
  }
  const manifest = await from.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
  if (manifest === undefined) throw new AteError('CHAIN_DAMAGED', 'The manifest of this chain is missing.')
  for (const { number, closing } of decodeManifest({ crc32 }, manifest).segments) {
    const name = segmentName(number)
    const [a, b] = [join(directory, name), join(staged, name)]
    if (closing === undefined) await copyFile(a, b)
    else await link(a, b).catch(() => copyFile(a, b))
  }
  const index = join(directory, 'index')
  if (existsSync(index)) await cp(index, join(staged, 'index'), { recursive: true })
  await to.replaceSmall(MANIFEST_NAME, manifest)
}

async function intake(
  { secret, judgeModule, receiverOf, onRefused = ignore }: ImportPlaces,
  staged: string,
  reader: ExportReader,
  header: ExportHeader,
  options: ImportOptions,
): Promise<ImportReport> {
  const handle = await openChain({
    directory: staged,
    secret,
    anchorDirectory: undefined,
    readOnly: false,
    allowDamage: false,
    acceptRollback: false,
    signal: options.signal,
    judgeModule,
    onProgress: ignore,
    onNotice: ignore,
  })
  const receiver = receiverOf(handle)
  try {
    if (!equalBytes(handle.keys.chainId, header.chainId)) throw otherChain()
    const intake = new Intake({ handle, receiver, staged, header, options, onRefused })
    const { missing, forgotten, ...report } = await intake.take(reader)
    const keys = { ...handle.keys, manifestKey: copyOf(handle.keys.manifestKey) }
    await receiver.close()
    if (forgotten > 0) await forget(staged, keys, forgotten)
    wipe(keys.manifestKey)
    if (missing) await punchZeros(staged)
    return report
  } catch (error) {
    await receiver.close().catch(ignore)
    throw error
  }
}

/** The index was made while records were missing: it is made anew from what comes behind them. */
async function forget(staged: string, keys: ChainKeys, sequence: number): Promise<void> {
  const manifest = await ManifestFile.load(new FileStorage(staged), nativeCrypto, keys)
  await manifest.setForgotten({ sequence, freed: manifest.current.forgotten?.freed ?? 0 })
  await rm(join(staged, 'index'), { recursive: true, force: true })
}

interface IntakeParts {
  handle: ChainHandle
  receiver: BatchReceiver
  staged: string
  header: ExportHeader
  options: ImportOptions
  onRefused: (refused: RefusedBatch) => void
}

class Intake {
  readonly #handle: ChainHandle
  readonly #receiver: BatchReceiver
  readonly #staged: string
  readonly #options: ImportOptions
  readonly #onRefused: (refused: RefusedBatch) => void
  /** What the copy had. */
  readonly #head: { sequence: number; digest: string }
  readonly #doubts = new Doubts()
  #last: LogEnd
  #batches = 0
  #isMissing = false
  #areRecordsMissing = false
  /** Records up to this batch are forgotten. */
  #forgotten = 0

  constructor({ handle, receiver, staged, header, options, onRefused }: IntakeParts) {
    const { headSequence: sequence, headDigest: digest } = handle.status()
    this.#handle = handle
    this.#receiver = receiver
    this.#staged = staged
    this.#options = options
    this.#onRefused = onRefused
    this.#head = { sequence, digest }
    this.#last = { sequence: header.from - 1, digest: header.previous }
  }

  async take(reader: ExportReader): Promise<ImportReport & { missing: boolean; forgotten: number }> {
    if (this.#last.sequence > this.#head.sequence)
      throw new AteError(
        'CHAIN_GAP',
        `The export begins with batch ${this.#last.sequence + 1}; the copy ends with batch ${this.#head.sequence}.`,
        { hint: 'Export from where the copy ends.' },
      )
    for await (const run of proofRuns(reader.batches())) {
      demandWanted(this.#options.signal)
      await this.#takeRun(run)
    }
    const end = reader.verifiedEnd(this.#handle.keys)
    await this.#demandSameHistory()
    if (end.sequence !== this.#last.sequence || !equalBytes(end.digest, this.#last.digest))
      throw new AteError('EXPORT_DAMAGED', 'The export ends with another batch than it says.')
    if (!isSettled(this.#doubts))
      throw new AteError('BATCH_REFUSED', 'Something is missing from the export that nothing in it drops.')
    const sequence = Math.max(this.#last.sequence, this.#head.sequence)
    const forgotten = this.#areRecordsMissing ? this.#forgotten : 0
    return { sequence, batches: this.#batches, missing: this.#isMissing, forgotten }
  }

  /** What the copy has is only compared: digests stand for all history before them. */
  async #takeRun(run: readonly BatchBytes[]): Promise<void> {
    const known = run.slice(0, Math.max(0, this.#head.sequence - this.#last.sequence))
    const { keys, trust } = this.#handle
    const verify = batchVerifier(nativeCrypto, keys, trust)
    for (const bytes of known) this.#take(await verify(bytes, { after: this.#last, mayMiss: true }))
    if (known.length === run.length) return
    if (this.#last.sequence === this.#head.sequence) await this.#demandSameHistory()
    const refused: number[] = []
    const onRefused = (one: RefusedBatch): void => {
      refused.push(one.sequence)
      this.#onRefused(one)
    }
    const how = { isDurable: false, mayMiss: true, onRefused }
    const batches = await this.#receiver.receive(run.slice(known.length), how)
    for (const each of batches) {
      // What a batch drops or forgets that is refused is not dropped, and not forgotten.
      const batch = refused.includes(each.sequence) ? { ...each, dropped: [], forgets: 0 } : each
      note(this.#doubts, batch)
      this.#isMissing ||= batch.missing.length > 0
      this.#areRecordsMissing ||= batch.missing.some(({ kind }) => kind === GROUP_RECORDS)
      this.#forgotten = Math.max(this.#forgotten, batch.forgets)
      this.#batches++
      this.#take(batch)
    }
  }

  #take(batch: LogEnd): void {
    this.#last = batch
    this.#options.onProgress?.(batch.sequence)
  }

  async #demandSameHistory(): Promise<void> {
    const { sequence, digest } = this.#last
    if (sequence > this.#head.sequence) return
    const source = { storage: new FileStorage(this.#staged), crypto: nativeCrypto, keys: this.#handle.keys }
    const isSame =
      sequence === this.#head.sequence ? toHex(digest) === this.#head.digest : await hasHistory(source, this.#last)
    if (!isSame)
      throw new AteError('CHAIN_FORKED', 'The export is of another history than the copy.', {
        hint: 'Both were written to. Keep one, and begin the other anew from it.',
      })
  }
}

function otherChain(): AteError {
  return new AteError('OTHER_CHAIN', 'The export is of another chain.')
}

function ignore(): void {
  // Nobody asked to be told.
}
