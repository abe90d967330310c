/** From what the user gives to the root key, and the files that keep it: `keyring`, or `key` without a passphrase. */
import { copyOf } from '../../engine/bytes/copy.js'
import { toHex } from '../../engine/bytes/hex.js'
import { CHAIN_ID_BYTES, ROOT_KEY_BYTES } from '../../engine/crypto/chain-keys.js'
import { aeadSuiteOfKeyBits } from '../../engine/crypto/suites.js'
import { AteError } from '../../engine/error.js'
import { createKeyring, openKeyring } from '../../engine/keyring/keyring.js'
import { decodePlainKey, encodePlainKey } from '../../engine/keyring/plain-key.js'
import { MAX_KEYRING_BYTES } from '../../engine/limits.js'
import type { LogStorage } from '../../engine/log/storage.js'
import type { ChainIdentity, ChainSecret, KeyBits } from './chain-handle.js'
import { nativeCrypto } from './native-crypto.js'

export const KEYRING_FILE = 'keyring'
export const PLAIN_KEY_FILE = 'key'
const MAX_PLAIN_KEY_BYTES = 4096
const FIRST_SLOT_LABEL = 'first'

/** Makes the keys of a new chain and stores what opens them again. The root key is the receiver's to wipe. */
export async function createIdentity(
  storage: LogStorage,
  secret: ChainSecret,
  keyBits: KeyBits,
): Promise<ChainIdentity> {
  const rootKey = nativeCrypto.randomBytes(ROOT_KEY_BYTES)
  const chainId = nativeCrypto.randomBytes(CHAIN_ID_BYTES)
  const suite = aeadSuiteOfKeyBits(keyBits)
  if (secret.kind === 'passphrase') {
    const { passphrase } = secret
    const keyring = await createKeyring(nativeCrypto, { passphrase, label: FIRST_SLOT_LABEL, chainId, suite, rootKey })
    await storage.replaceSmall(KEYRING_FILE, keyring)
  } else if (secret.kind === 'key-file') {
    await storage.replaceSmall(PLAIN_KEY_FILE, encodePlainKey({ chainId, suite, rootKey }))
  }
  return { rootKey, chainId, suite }
}

/** The root key is the receiver's to wipe. Fails with WRONG_PASSPHRASE, KEYRING_DAMAGED, NO_PASSPHRASE. */
export async function openIdentity(storage: LogStorage, secret: ChainSecret): Promise<ChainIdentity> {
  if (secret.kind === 'passphrase') {
    const file = await storage.readSmall(KEYRING_FILE, MAX_KEYRING_BYTES)
    if (file === undefined) throw missing(KEYRING_FILE, 'A chain made with --no-auth is opened with --no-auth.')
    return openKeyring(nativeCrypto, file, secret.passphrase)
  }
  if (secret.kind === 'key-file') {
    const file = await storage.readSmall(PLAIN_KEY_FILE, MAX_PLAIN_KEY_BYTES)
    if (file === undefined) throw missing(PLAIN_KEY_FILE, 'A chain made with a passphrase is opened without --no-auth.')
    return decodePlainKey(file)
  }
  if (secret.kind === 'identity') return { ...secret.identity, rootKey: copyOf(secret.identity.rootKey) }
  throw new AteError('BAD_ARGUMENT', 'a temporary chain cannot be opened again')
}

/** The anchor's file name: the chain's id, so that a renamed or copied chain finds it. */
export function anchorName(chainId: Uint8Array): string {
  return toHex(chainId)
}

function missing(file: string, hint: string): AteError {
  return new AteError('NO_PASSPHRASE', `the chain has no file named ${file}`, { hint })
}
