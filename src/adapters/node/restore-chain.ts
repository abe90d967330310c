/**
 * Puts a backup in the place of a chain. It is copied beside it first, verified with the chain's keys, and compared with the
 * chain that is there and with the anchor of this machine; then both change places at once.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CopyProgress } from '../../engine/chain/chain-keeping.js'
import { equalBytes } from '../../engine/bytes/equal.js'
import { deriveChainKeys, wipeChainKeys } from '../../engine/crypto/chain-keys.js'
import { crc32 } from '../../engine/crypto/crc32.js'
import { wipe } from '../../engine/crypto/wipe.js'
import { AteError, isAteError } from '../../engine/error.js'
import { MAX_KEYRING_BYTES, MAX_MANIFEST_BYTES } from '../../engine/limits.js'
import { endOfLog, hasHistory, type LogEnd } from '../../engine/log/compare-logs.js'
import { encodeAnchor } from '../../engine/log/format/anchor-format.js'
import { decodeManifest, type SegmentEntry } from '../../engine/log/format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from '../../engine/log/format/segment-header.js'
import { MANIFEST_NAME, segmentName } from '../../engine/log/format/segment-name.js'
import { type BatchSource, damageText, describeChain, verifyLog } from '../../engine/log/index.js'
import { readAnchor } from '../../engine/log/read-anchor.js'
import { AnchorFile } from './anchor-file.js'
import type { ChainSecret } from './chain-handle.js'
import { lockChain } from './chain-lock.js'
import { anchorName, KEYRING_FILE, openIdentity, PLAIN_KEY_FILE } from './chain-secret.js'
import { copySegment } from './copy-segment.js'
import { FileStorage } from './file-storage.js'
import { nativeCrypto } from './native-crypto.js'
import { freeName, replaceDirectory } from './replace-directory.js'
import { readDigests } from './segment-digests.js'
import { beginStaging, type Staging } from './staging.js'

/** How a backup becomes a chain again. */
export interface RestoreOptions {
  /** Puts the backup in the place of a chain that is there, which is kept beside it under another name. */
  force?: boolean | undefined
  /** Takes a backup that ends before what this machine knows of the chain (its anchor), and sets that back. */
  acceptRollback?: boolean | undefined
  /** ABORTED then, and nothing has changed. */
  signal?: AbortSignal | undefined
  /** Called a few times a second. */
  onProgress?: ((progress: CopyProgress) => void) | undefined
}

/** What was restored. */
export interface RestoreReport {
  /** Of the last batch. */
  sequence: number
  /** Of the log. */
  bytes: number
  /** Where the chain lies that was there before. */
  keptAside: string | undefined
}

export interface RestorePlaces {
  backup: string
  /** Where the chain is to lie. */
  directory: string
  secret: ChainSecret
  anchorDirectory: string | undefined
}

/** CHAIN_EXISTS, CHAIN_NEWER, CHAIN_FORKED, OTHER_CHAIN, CHAIN_ROLLED_BACK, CHAIN_DAMAGED, CHAIN_LOCKED, WRONG_PASSPHRASE, ... */
export async function restoreDirectory(places: RestorePlaces, options: RestoreOptions): Promise<RestoreReport> {
  const backupLock = lockChain(places.backup, { readOnly: true })
  try {
    return await restore(places, options)
  } finally {
    backupLock.release()
  }
}

async function restore(places: RestorePlaces, options: RestoreOptions): Promise<RestoreReport> {
  const backup = new FileStorage(places.backup)
  await describeChain(backup)
  const identity = await openIdentity(await keyHolder(places), places.secret)
  const keys = deriveChainKeys(nativeCrypto, identity.rootKey, identity.chainId, identity.suite)
  wipe(identity.rootKey)
  const lock = existsSync(places.directory) ? lockChain(places.directory, { readOnly: false }) : undefined
  let staging: Staging | undefined
  try {
    staging = await beginStaging(`${places.directory}.restoring`)
    const staged = staging.path
    const bytes = await copyBackup(places, staged, options)
    const source = { storage: new FileStorage(staged), crypto: nativeCrypto, keys }
    const end = await verifiedEnd(source)
    if (options.force !== true) await demandNothingThere(places.directory, source, end)
    const anchor = anchorOf(keys.chainId, places.anchorDirectory)
    await demandAnchored(anchor, source, end, options.acceptRollback === true)
    const keptAside = replaceDirectory(staged, places.directory, freeName(places.directory, 'replaced'))
    if (options.acceptRollback === true && end.sequence > 0) anchor?.write(encodeAnchor(nativeCrypto, keys, end))
    anchor?.sync()
    anchor?.close()
    lock?.finish()
    return { sequence: end.sequence, bytes, keptAside }
  } finally {
    await staging?.end()
    lock?.release()
    wipeChainKeys(keys)
  }
}

/** The backup, or, when it has no key, the chain that is there. */
async function keyHolder({ backup, directory, secret }: RestorePlaces): Promise<FileStorage> {
  const name = secret.kind === 'passphrase' ? KEYRING_FILE : PLAIN_KEY_FILE
  const storage = new FileStorage(backup)
  if ((await storage.list()).includes(name) || !existsSync(join(directory, name))) return storage
  return new FileStorage(directory)
}

/** Copies what the backup's manifest lists; resolves with its bytes. */
async function copyBackup(places: RestorePlaces, staged: string, options: RestoreOptions): Promise<number> {
  const [from, to] = [new FileStorage(places.backup), new FileStorage(staged)]
  const manifest = await from.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
  if (manifest === undefined) throw new AteError('NOT_A_CHAIN', 'There is no manifest in the backup.')
  const { segments } = decodeManifest({ crc32 }, manifest)
  const digests = await readDigests(from)
  const totalBytes = segments.reduce((sum, entry) => sum + lengthOf(entry), 0)
  const { signal, onProgress } = options
  let doneBytes = 0
  const onBytes = (bytes: number): void =>
    onProgress?.({ phase: 'copying', doneBytes: (doneBytes += bytes), totalBytes })
  for (const entry of segments) {
    const name = segmentName(entry.number)
    const length = lengthOf(entry)
    const digest = await copySegment(join(places.backup, name), join(staged, name), length, { signal, onBytes })
    const expected = digests.get(entry.number)
    if (expected !== undefined && expected.length === length && !equalBytes(expected.digest, digest))
      throw new AteError('CHAIN_DAMAGED', `The file ${name} of the backup is not what was copied to it.`)
  }
  await copyKeys(places, to)
  await to.replaceSmall(MANIFEST_NAME, manifest)
  return totalBytes
}

async function copyKeys(places: RestorePlaces, to: FileStorage): Promise<void> {
  const holder = await keyHolder(places)
  for (const name of [KEYRING_FILE, PLAIN_KEY_FILE]) {
    const bytes = await holder.readSmall(name, MAX_KEYRING_BYTES)
    if (bytes !== undefined) await to.replaceSmall(name, bytes)
  }
}

function lengthOf({ closing }: SegmentEntry): number {
  return closing?.length ?? SEGMENT_HEADER_BYTES
}

/** Everything is read and verified. CHAIN_DAMAGED. */
async function verifiedEnd(source: BatchSource): Promise<LogEnd> {
  for await (const finding of verifyLog(source))
    throw new AteError('CHAIN_DAMAGED', `In the backup: ${damageText(finding)}`)
  return await endOfLog(source)
}

async function demandNothingThere(directory: string, backup: BatchSource, end: LogEnd): Promise<void> {
  const storage = new FileStorage(directory)
  if (!existsSync(directory) || !(await storage.list()).some((name) => name === MANIFEST_NAME || name.endsWith('.seg')))
    return
  const hint = 'With force, the backup takes its place and it is kept beside it.'
  const chain = { ...backup, storage }
  const there = await endThere(chain, hint)
  const isNewer = there.sequence > end.sequence
  const isSame = isNewer ? await hasHistory(chain, end) : await hasHistory(backup, there)
  if (!isSame)
    throw new AteError('CHAIN_FORKED', 'The chain that is there has another history than the backup.', { hint })
  if (isNewer)
    throw new AteError(
      'CHAIN_NEWER',
      `The chain that is there has ${there.sequence} batches, the backup ${end.sequence}.`,
      { hint },
    )
  throw new AteError('CHAIN_EXISTS', 'There is a chain already.', { hint })
}

async function endThere(chain: BatchSource, hint: string): Promise<LogEnd> {
  try {
    const { chainId } = await describeChain(chain.storage)
    if (!equalBytes(chainId, chain.keys.chainId)) throw new AteError('OTHER_CHAIN', 'There is another chain.', { hint })
    return await endOfLog(chain)
  } catch (cause) {
    if (isAteError(cause) && cause.code === 'OTHER_CHAIN') throw cause
    throw new AteError('CHAIN_EXISTS', 'There is a chain already, and it cannot be compared with the backup.', {
      hint,
      cause,
    })
  }
}

function anchorOf(chainId: Uint8Array, directory: string | undefined): AnchorFile | undefined {
  return directory === undefined ? undefined : new AnchorFile(join(directory, anchorName(chainId)))
}

async function demandAnchored(
  anchor: AnchorFile | undefined,
  backup: BatchSource,
  end: LogEnd,
  isRollbackAccepted: boolean,
): Promise<void> {
  if (isRollbackAccepted) return
  const known = await readAnchor({ ...backup, anchor }, () => undefined)
  if (known === undefined || (known.sequence <= end.sequence && (await hasHistory(backup, known)))) return
  const hint = 'If that is lost, restore with acceptRollback: what this machine knows is set back to the backup.'
  const what = known.sequence > end.sequence ? `ends with batch ${end.sequence}` : 'has another history'
  throw new AteError('CHAIN_ROLLED_BACK', `The backup ${what}, but batch ${known.sequence} was durable here.`, { hint })
}
