/**
 * Makes a copy of a chain that a server keeps, as far as it must be there before it can follow: what opens it, and an empty log.
 * Where the server has no chain of that name it is made there. See docs/protocol.md, section 8.
 */
import { isPassing, trustAt, trustHere } from '../../client/index.js'
import type { RemoteLink } from '../../client/index.js'
import { equalBytes } from '../../engine/bytes/equal.js'
import { type ChainKeys, deriveChainKeys } from '../../engine/crypto/chain-keys.js'
import { wipe } from '../../engine/crypto/wipe.js'
import { AteError, errorCode, isAteError } from '../../engine/error.js'
import { describeKeyring, isLaterKeyring } from '../../engine/keyring/keyring.js'
import { MAX_KEYRING_BYTES } from '../../engine/limits.js'
import { trustOf } from '../../engine/log/format/feature-flags.js'
import { MANIFEST_NAME } from '../../engine/log/format/segment-name.js'
import { createLog, describeChain, MemoryStorage } from '../../engine/log/index.js'
import type { LogStorage } from '../../engine/log/storage.js'
import type { ChainTrust } from '../../engine/log/types.js'
import { failureDetail, type HeadSigner, type Opened, type Peer, type TrustMode, writerOf } from '../../sync/index.js'
import type { ChainSecret, KeyBits } from './chain-handle.js'
import { createIdentity, KEYRING_FILE, openIdentity, PLAIN_KEY_FILE } from './chain-secret.js'
import { nativeCrypto } from './native-crypto.js'

export interface PrepareReplicaOptions {
  storage: LogStorage
  link: RemoteLink
  /** False while another server answers in the stead of the one that has the chain. */
  isOwner: () => boolean
  /** Its name at the server. */
  chain: string
  secret: ChainSecret
  /** Of a chain that is made. */
  keyBits: KeyBits
  trust?: ChainTrust | undefined
  /** One that the server has not is not made: CHAIN_NOT_FOUND. */
  noCreate: boolean
  /** It was at the server before. */
  wasServed: boolean
  /** A copy that is here will do while the server is away. */
  mayBeAway: boolean
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Told when the chain was not at the server and has been made there. */
  onCreated?: (() => void) | undefined
}

/**
 * The keys of a chain that was just made or adopted are not given: whoever opens it derives them. CHAIN_NOT_FOUND, OTHER_CHAIN,
 * NO_PASSPHRASE, WRONG_PASSPHRASE, KEYRING_DAMAGED, and why the server cannot be reached.
 */
export async function prepareReplica(options: PrepareReplicaOptions): Promise<void> {
  const { storage, link, chain, noCreate, wasServed, mayBeAway, timeoutMs, signal } = options
  const isHere = await isLogIn(storage)
  let peer: Peer
  try {
    peer = await link.connection(timeoutMs, signal)
  } catch (error) {
    if (isHere && mayBeAway && isPassing(error)) return
    throw error
  }
  const found = await opened(peer, chain, timeoutMs)
  if (typeof found !== 'string') {
    await (isHere ? takeKeyring(options, found) : adopt(options, found))
    return
  }
  if (!options.isOwner())
    throw new AteError('CONNECTION_FAILED', `The server of the chain ${chain} is away, and another one has it not.`)
  if (noCreate || wasServed)
    throw new AteError('CHAIN_NOT_FOUND', `The server ${link.server} has no chain ${chain}.`, {
      ...(wasServed ? { hint: 'It had it before. A copy of it is here.' } : {}),
    })
  const keys = isHere ? await keysIn(storage, options.secret) : await makeLog(options, found)
  if (await create(peer, options, writerOf(keys))) {
    options.onCreated?.()
    return
  }
  // Somebody else was faster.
  if (isHere) throw otherChain()
  await removeLog(storage)
  await prepareReplica({ ...options, noCreate: true })
}

async function isLogIn(storage: LogStorage): Promise<boolean> {
  return (await storage.list()).includes(MANIFEST_NAME)
}

/** The trust of chains made there when it has none of that name. */
async function opened(peer: Peer, chain: string, timeoutMs: number): Promise<Opened | TrustMode> {
  try {
    const found = await peer.request(0, 'open', { chain }, { timeoutMs })
    await peer.request(found.channel, 'leave', {}, { timeoutMs })
    return found
  } catch (error) {
    if (errorCode(error) !== 'CHAIN_NOT_FOUND') throw error
    return failureDetail(error)?.trust ?? 'centralized'
  }
}

/** What opens the chain comes from the server, or, without a passphrase, from the file `key` that somebody has put here. */
async function adopt({ storage, secret, trust }: PrepareReplicaOptions, found: Opened): Promise<void> {
  const here = trustHere(found.trust)
  if (trust !== undefined && trust !== here)
    throw new AteError('NOT_AUTHORIZED', `The trust of the chain is ${here}, not ${trust}.`)
  if (found.keyring === null && secret.kind === 'passphrase')
    throw new AteError('NO_PASSPHRASE', 'The chain has no passphrase.', {
      hint: 'It is opened without one, by the file key of whoever made it.',
    })
  if (found.keyring !== null && secret.kind !== 'passphrase')
    throw new AteError('NO_PASSPHRASE', 'The chain opens with a passphrase only.', { hint: 'Give its passphrase.' })
  if (found.keyring !== null) await storage.replaceSmall(KEYRING_FILE, found.keyring)
  const keys = await keysIn(storage, secret)
  if (!equalBytes(keys.chainId, found.id) || keys.suite !== found.suite) throw otherChain()
  await createLog({ storage, crypto: nativeCrypto, keys, clock: Date.now, trust: here })
}

/**
 * Passphrases may have changed elsewhere: what was changed after ours takes its place, and nothing older does. What the server has is
 * only opened with a passphrase that ours does not know.
 */
async function takeKeyring({ storage, secret }: PrepareReplicaOptions, { keyring, id }: Opened): Promise<void> {
  if (keyring === null || secret.kind !== 'passphrase') return
  const ours = await storage.readSmall(KEYRING_FILE, MAX_KEYRING_BYTES)
  if (ours !== undefined && equalBytes(ours, keyring)) return
  const { chainId } = await describeChain(storage)
  if (!equalBytes(chainId, id)) throw otherChain()
  if (!equalBytes(describeKeyring(keyring).chainId, chainId)) throw otherChain()
  let keys: ChainKeys
  let why: AteError | undefined
  try {
    keys = await keysIn(storage, secret)
  } catch (error) {
    if (!isAteError(error)) throw error
    why = error
    const trial = new MemoryStorage()
    await trial.replaceSmall(KEYRING_FILE, keyring)
    keys = await keysIn(trial, secret)
  }
  const isOursLost = ours === undefined || why?.code === 'KEYRING_DAMAGED'
  if (isOursLost || isLaterKeyring(nativeCrypto, keys, ours, keyring)) await storage.replaceSmall(KEYRING_FILE, keyring)
  else if (why !== undefined) throw why
}

async function makeLog(
  { storage, secret, keyBits, trust }: PrepareReplicaOptions,
  there: TrustMode,
): Promise<ChainKeys> {
  const { rootKey, chainId, suite } = await createIdentity(storage, secret, keyBits)
  const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
  wipe(rootKey)
  await createLog({ storage, crypto: nativeCrypto, keys, clock: Date.now, trust: trust ?? trustHere(there) })
  return keys
}

/** False when there is one by now. */
async function create(
  peer: Peer,
  { storage, chain, timeoutMs }: PrepareReplicaOptions,
  writer: HeadSigner,
): Promise<boolean> {
  const { chainId: id, suite, format } = await describeChain(storage)
  const keyring = (await storage.readSmall(KEYRING_FILE, MAX_KEYRING_BYTES)) ?? null
  const made = { chain, id, suite, trust: trustAt(trustOf(format)), keyring, writer }
  try {
    const { channel } = await peer.request(0, 'create', made, { timeoutMs })
    await peer.request(channel, 'leave', {}, { timeoutMs })
    return true
  } catch (error) {
    if (errorCode(error) === 'CHAIN_EXISTS') return false
    throw error
  }
}

async function removeLog(storage: LogStorage): Promise<void> {
  for (const name of [MANIFEST_NAME, KEYRING_FILE, PLAIN_KEY_FILE]) await storage.remove(name)
}

async function keysIn(storage: LogStorage, secret: ChainSecret): Promise<ChainKeys> {
  const { rootKey, chainId, suite } = await openIdentity(storage, secret)
  const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
  wipe(rootKey)
  return keys
}

function otherChain(): AteError {
  return new AteError('OTHER_CHAIN', 'The server has another chain of that name than the copy here.')
}
