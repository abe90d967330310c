/** The passphrase slots of a chain on this machine: reads the file `keyring`, and replaces it while nobody else does. */
import { closeSync, openSync } from 'node:fs'
import { FileStorage } from '../adapters/node/file-storage.js'
import { lockFile } from '../adapters/node/libc/lock.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { wipe } from '../engine/crypto/wipe.js'
import { AteError } from '../engine/error.js'
import { addSlot, changeSlot, listSlots, openKeyring, removeSlot, type SlotInfo } from '../engine/keyring/keyring.js'
import { MAX_KEYRING_BYTES } from '../engine/limits.js'
import type { ChainLocation } from './chain-argument.js'

const KEYRING = 'keyring'

/** What is to be done with the slots. Passphrases are the caller's to wipe. */
export type SlotChange =
  | {
      kind: 'change' | 'add'
      passphrase: Uint8Array
      newPassphrase: () => Promise<Uint8Array>
      label?: string | undefined
    }
  | { kind: 'remove'; passphrase: Uint8Array; slotId: string }

/** Not authenticated: no passphrase is needed to see them. Fails with KEYRING_DAMAGED, BAD_ARGUMENT (no passphrases). */
export async function readSlots(chain: ChainLocation): Promise<readonly SlotInfo[]> {
  return listSlots(await readKeyring(chain))
}

/**
 * Changes the slots; durable when it resolves, with the slots there are then. The new passphrase is asked for only when the
 * old one is right. Fails with WRONG_PASSPHRASE, KEY_SLOT_NOT_FOUND, LAST_KEY_SLOT, CHAIN_LOCKED, ...
 */
export async function changeSlots(chain: ChainLocation, change: SlotChange): Promise<readonly SlotInfo[]> {
  const directory = openSync(chain.directory, 'r')
  try {
    // The directory itself is the lock: the chain's own is held for as long as it is mounted.
    if (lockFile(directory, 'alone') !== 'locked') {
      throw new AteError('CHAIN_LOCKED', `the key slots of ${chain.name} are being changed by another process`)
    }
    const keyring = await editKeyring(await readKeyring(chain), change)
    await new FileStorage(chain.directory).replaceSmall(KEYRING, keyring)
    return listSlots(keyring)
  } finally {
    closeSync(directory)
  }
}

/** The caller stores it. The new passphrase is asked for only when the old one is right. */
export async function editKeyring(keyring: Uint8Array, change: SlotChange): Promise<Uint8Array> {
  const { passphrase } = change
  if (change.kind === 'remove') return removeSlot(nativeCrypto, keyring, passphrase, change.slotId)
  const { rootKey, slotId } = await openKeyring(nativeCrypto, keyring, passphrase)
  wipe(rootKey)
  const opened = listSlots(keyring).find((slot) => slot.id === slotId)
  const label = change.label ?? (change.kind === 'change' ? opened?.label : undefined) ?? ''
  const newPassphrase = await change.newPassphrase()
  try {
    const edit = change.kind === 'add' ? addSlot : changeSlot
    return await edit(nativeCrypto, keyring, passphrase, { passphrase: newPassphrase, label })
  } finally {
    wipe(newPassphrase)
  }
}

async function readKeyring({ name, directory, presence }: ChainLocation): Promise<Uint8Array> {
  if (presence === 'key-file') throw new AteError('BAD_ARGUMENT', `the chain ${name} has no passphrase`)
  const keyring = await new FileStorage(directory).readSmall(KEYRING, MAX_KEYRING_BYTES)
  if (keyring !== undefined) return keyring
  throw new AteError('KEYRING_DAMAGED', `the chain ${name} has lost its file ${KEYRING}`, {
    hint: 'Nothing opens the chain without it: put back a copy.',
  })
}
