/** The keyring of a copy: passphrases that are changed at the server are changed here as well. */
import type { ChainKeys } from '../../engine/crypto/chain-keys.js'
import { isLaterKeyring } from '../../engine/keyring/keyring.js'
import { MAX_KEYRING_BYTES } from '../../engine/limits.js'
import type { LogStorage } from '../../engine/log/storage.js'
import { KEYRING_FILE } from './chain-secret.js'
import { nativeCrypto } from './native-crypto.js'

/**
 * What is to be told of each keyring that the server shows. An older one, and what is none of the chain, is passed over: the server
 * has no say in it. One that could not be kept is learnt anew when the copy is opened.
 */
export function replicaKeyring(
  storage: LogStorage,
  keys: ChainKeys,
  onNotice: (message: string) => void = () => undefined,
): (keyring: Uint8Array) => void {
  let keeping = Promise.resolve()
  const keep = async (keyring: Uint8Array): Promise<void> => {
    const ours = await storage.readSmall(KEYRING_FILE, MAX_KEYRING_BYTES)
    if (ours === undefined || !isLaterKeyring(nativeCrypto, keys, ours, keyring)) return
    await storage.replaceSmall(KEYRING_FILE, keyring)
  }
  return (keyring) => {
    keeping = keeping
      .then(() => keep(keyring))
      .catch((error: unknown) =>
        onNotice(`Changed passphrases of the chain could not be kept here yet: ${String(error)}`),
      )
  }
}
