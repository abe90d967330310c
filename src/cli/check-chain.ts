/**
 * `atefs fsck`: everything that can be verified of a chain that nobody has mounted. First the log, byte by byte; then the
 * file system that its records make, rebuilt in memory beside whatever index there is; then that index. Changes
 * nothing, but for a mark beside an index that is to be rebuilt.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AnchorFile } from '../adapters/node/anchor-file.js'
import type { ChainHandle, ChainSecret, OpenChainOptions, OpenProgress } from '../adapters/node/chain-handle.js'
import { anchorName, openIdentity } from '../adapters/node/chain-secret.js'
import { FileStorage } from '../adapters/node/file-storage.js'
import { markIndexBroken, openStoredIndex } from '../adapters/node/index-directory.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { openChain } from '../adapters/node/open-chain.js'
import { paced, type Report } from '../adapters/node/pace.js'
import { toHex } from '../engine/bytes/hex.js'
import { BODY_PLACE_KIND, bodyPlaceHigh, decodeBodyPlace } from '../engine/chain/body-place.js'
import type { RecordView } from '../engine/chain/record-view.js'
import { deriveChainKeys, wipeChainKeys, type ChainKeys } from '../engine/crypto/chain-keys.js'
import { wipe } from '../engine/crypto/wipe.js'
import { errorCode } from '../engine/error.js'
import { IndexWriter } from '../engine/index/index-writer.js'
import { LeafSeal } from '../engine/index/leaf-seal.js'
import { verifyLog } from '../engine/log/index.js'
import { runSteps } from '../engine/run-steps.js'
import { openWhenFree } from '../fs/daemon/lock-wait.js'
import { checkFileSystem, holdsFileSystem } from '../fs/vfs/check/check.js'
import { JUDGE_MODULE } from '../fs/daemon/judge-module.js'

/** One thing wrong. Where it is: in the log (segment, position, sequence, group), in the file system (inode, path), or both. */
export interface ChainFinding {
  kind: string
  message: string
  segment?: number | undefined
  position?: number | undefined
  sequence?: number | undefined
  group?: number | undefined
  inode?: number | undefined
  path?: string | undefined
}

/** Batches of the groups that findings of the log are about, by `segment:position`. */
type GroupSequences = Map<string, number>

export interface CheckChainOptions {
  directory: string
  anchorDirectory: string
  /** Where daemons tell of themselves: one that is just ending is waited for. */
  runtimeDirectory: string
  secret: ChainSecret
  onProgress: (progress: OpenProgress) => void
  onNotice: (message: string) => void
}

/** A batch of distributed trust that is not rightful: no damage, and nothing of it counts. */
export interface RefusedFinding {
  sequence: number
  code: string
  message: string
  /** Ids of the keys that signed it. */
  signers: string[]
}

/** What was looked at. */
export interface CheckedChain {
  batches: number
  logBytes: number
  refused: RefusedFinding[]
}

/** Yields what is wrong; returns what was looked at. Fails with CHAIN_LOCKED, WRONG_PASSPHRASE, NOT_A_CHAIN, ... */
export async function* checkChain(options: CheckChainOptions): AsyncGenerator<ChainFinding, CheckedChain> {
  const refused: RefusedFinding[] = []
  const handle = await openTolerant(options, refused)
  const keys = handle?.keys ?? (await keysOf(options))
  try {
    const sequences: GroupSequences = new Map()
    // Whoever reads the chain judges it: what was not opened is judged by nobody.
    const judged = handle?.trust === 'distributed' ? new Set(refused.map(({ sequence }) => sequence)) : undefined
    const checked = yield* checkLog(options, keys, sequences, judged)
    if (handle !== undefined) yield* checkFiles(handle, options, sequences)
    yield* checkIndex(options.directory, keys)
    return { ...checked, refused }
  } finally {
    await handle?.close()
    wipeChainKeys(keys)
  }
}

/** Undefined for a log so damaged that nothing can be rebuilt from it. What is wrong with it is told by `checkLog`. */
async function openTolerant(options: CheckChainOptions, refused: RefusedFinding[]): Promise<ChainHandle | undefined> {
  const { directory, anchorDirectory, secret, onProgress } = options
  const tolerant: OpenChainOptions = {
    directory,
    secret,
    anchorDirectory,
    readOnly: true,
    allowDamage: true,
    acceptRollback: true,
    onProgress,
    onNotice: () => undefined,
    judgeModule: JUDGE_MODULE,
    onRefused: ({ sequence, error, signers }) => {
      refused.push({ sequence, code: errorCode(error) ?? '', message: error.message, signers: signers.map(toHex) })
    },
  }
  try {
    return await openWhenFree(() => openChain(tolerant), options)
  } catch (error) {
    if (errorCode(error) === 'CHAIN_DAMAGED') return undefined
    throw error
  }
}

async function keysOf({ directory, secret }: CheckChainOptions): Promise<ChainKeys> {
  const { rootKey, chainId, suite } = await openIdentity(new FileStorage(directory), secret)
  const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
  wipe(rootKey)
  return keys
}

async function* checkLog(
  { directory, anchorDirectory, onProgress, onNotice }: CheckChainOptions,
  keys: ChainKeys,
  sequences: GroupSequences,
  refused: ReadonlySet<number> | undefined,
): AsyncGenerator<ChainFinding, Omit<CheckedChain, 'refused'>> {
  const anchorFile = join(anchorDirectory, anchorName(keys.chainId))
  if (!existsSync(anchorFile))
    onNotice('there is no anchor on this machine: a rolled back log cannot be told from this one')
  const anchor = new AnchorFile(anchorFile, { readOnly: true })
  const checked = { batches: 0, logBytes: 0 }
  const report = reportOf('verifying the log', onProgress)
  try {
    const findings = verifyLog({
      storage: new FileStorage(directory),
      crypto: nativeCrypto,
      keys,
      anchor,
      refused,
      onBatch: () => {
        checked.batches++
      },
      onProgress: (doneBytes, totalBytes) => {
        checked.logBytes = doneBytes
        report(doneBytes, totalBytes)
      },
    })
    for await (const finding of findings) {
      const { segment, position, sequence } = finding
      if (finding.group !== undefined && sequence !== undefined) sequences.set(`${segment}:${position}`, sequence)
      yield finding
    }
  } finally {
    anchor.close()
  }
  return checked
}

async function* checkFiles(
  { view, keys }: ChainHandle,
  { onProgress }: CheckChainOptions,
  sequences: GroupSequences,
): AsyncGenerator<ChainFinding> {
  // A verified log without them is that of a program's objects.
  if (!holdsFileSystem(view)) return
  const report = reportOf('checking files', onProgress)
  for await (const finding of checkFileSystem({ view, nameKey: keys.nameKey, onProgress: report })) {
    const { kind, message, ino, path, body } = finding
    const place = body === undefined ? {} : placeOf(view, body, sequences)
    yield { kind, message, inode: ino, path, ...place }
  }
}

/** A few times a second: batches and inodes are done by the thousand, and a terminal is slower than they are. */
function reportOf(phase: string, onProgress: CheckChainOptions['onProgress']): Report {
  return paced((doneBytes, totalBytes) => onProgress({ phase, doneBytes, totalBytes }))
}

/** Where the log has the body, as far as its records tell. */
function placeOf(view: RecordView, body: number, sequences: GroupSequences): Partial<ChainFinding> {
  try {
    const record = view.get(BODY_PLACE_KIND, bodyPlaceHigh(body), body)
    if (record === undefined) return { group: body }
    const { segment, position } = decodeBodyPlace(body, record)
    return { segment, position, sequence: sequences.get(`${segment}:${position}`), group: body }
  } catch {
    return { group: body }
  }
}

function* checkIndex(directory: string, keys: ChainKeys): Generator<ChainFinding> {
  const index = join(directory, 'index')
  if (!existsSync(index) || isIndexWhole(index, keys)) return
  // The mount itself does not look at every leaf before it begins.
  markIndexBroken(index)
  yield { kind: 'index', message: 'The index does not verify; the next mount rebuilds it from the log.' }
}

function isIndexWhole(directory: string, keys: ChainKeys): boolean {
  try {
    const store = openStoredIndex(directory)
    const isWhole = runSteps(new IndexWriter(store, new LeafSeal(nativeCrypto, keys), nativeCrypto, keys).verify())
    void store.close()
    return isWhole
  } catch {
    return false
  }
}
