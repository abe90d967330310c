/** The passphrase slots of a chain at a server: its keyring is changed here, and put back in turn. */
import { copyOf } from '../engine/bytes/copy.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { type ChainKeys, deriveChainKeys, wipeChainKeys } from '../engine/crypto/chain-keys.js'
import { wipe } from '../engine/crypto/wipe.js'
import { AteError } from '../engine/error.js'
import { describeKeyring, listSlots, openKeyring, type SlotInfo } from '../engine/keyring/keyring.js'
import { TURN_MS } from '../client/waits.js'
import { type Opened, type Peer, proveWriter } from '../sync/index.js'
import { parseChainUrl } from '../wire/index.js'
import { editKeyring, type SlotChange } from './key-slots.js'
import { openAt, type ServerFlags, withServerOf } from './server-chains.js'

const SESSION_BYTES = 16

/** As `readSlots`; CHAIN_NOT_FOUND, CONNECTION_FAILED, ... */
export async function readServedSlots(url: string, flags: ServerFlags): Promise<readonly SlotInfo[]> {
  const { chain } = parseChainUrl(url)
  return await withServerOf(url, flags, async (peer) => listSlots(keyringOf(await openAt(peer, chain), chain)))
}

/** As `changeSlots`; durable at the server when it resolves. CHAIN_LOCKED when somebody else has changed them meanwhile. */
export async function changeServedSlots(
  url: string,
  flags: ServerFlags,
  change: SlotChange,
): Promise<readonly SlotInfo[]> {
  const { chain } = parseChainUrl(url)
  const before = await withServerOf(url, flags, async (peer) => keyringOf(await openAt(peer, chain), chain))
  // Nobody waits for the turn while passphrases are typed.
  const keyring = await editKeyring(before, change)
  const keys = await keysOf(before, change.passphrase)
  try {
    await withServerOf(url, flags, (peer) => putBack(peer, chain, { before, keyring, keys }))
  } finally {
    wipeChainKeys(keys)
  }
  return listSlots(keyring)
}

async function keysOf(keyring: Uint8Array, passphrase: Uint8Array): Promise<ChainKeys> {
  const { rootKey, chainId, suite } = await openKeyring(nativeCrypto, keyring, passphrase)
  const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
  wipe(rootKey)
  return keys
}

interface Edited {
  before: Uint8Array
  keyring: Uint8Array
  keys: ChainKeys
}

async function putBack(peer: Peer, chain: string, { before, keyring, keys }: Edited): Promise<void> {
  const { channel, sequence, digest } = await openAt(peer, chain)
  const session = nativeCrypto.randomBytes(SESSION_BYTES)
  const { transcript } = peer.connection.agreement
  const proof = proveWriter(nativeCrypto, keys, { chainId: keys.chainId, session, transcript })
  const asked = { session, term: 0, sequence, digest, proof }
  const { term } = await peer.request(channel, 'turn', asked, { timeoutMs: TURN_MS })
  try {
    // Only who has the turn changes it: what is there now stays until it is replaced.
    if (!equalBytes(keyringOf(await openAt(peer, chain), chain), before))
      throw new AteError('CHAIN_LOCKED', `The key slots of ${chain} were changed by somebody else meanwhile.`, {
        hint: 'Try again.',
      })
    await peer.request(channel, 'keyring', { term, keyring }, { timeoutMs: TURN_MS })
  } finally {
    await peer.request(channel, 'release', { term }, { timeoutMs: TURN_MS }).catch(() => undefined)
  }
}

function keyringOf({ keyring, id }: Opened, chain: string): Uint8Array {
  if (keyring === null) throw new AteError('BAD_ARGUMENT', `the chain ${chain} has no passphrase`)
  if (equalBytes(describeKeyring(keyring).chainId, id)) return copyOf(keyring)
  throw new AteError('KEYRING_DAMAGED', `The keyring that the server shows is none of the chain ${chain}.`)
}
