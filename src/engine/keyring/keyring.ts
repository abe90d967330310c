/**
 * The passphrase slots of a chain, as pure functions from file to file: the caller stores the result with
 * `LogStorage.replaceSmall`. Slots are not in the log, or an old passphrase would open the chain for ever; but a copy
 * of the old file still opens with it, since the root key stays the same.
 */
import { equalBytes } from '../bytes/equal.js'
import { toHex } from '../bytes/hex.js'
import { ARGON2_SALT_BYTES, DEFAULT_ARGON2_COST, type Argon2Cost } from '../crypto/argon2.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import type { AeadSuite } from '../crypto/suites.js'
import { wipe } from '../crypto/wipe.js'
import { AteError } from '../error.js'
import {
  decodeKeyring,
  encodeKeyring,
  isKeyringOf,
  MAX_SLOT_LABEL_CHARACTERS,
  MAX_SLOTS,
  SLOT_ID_BYTES,
  verifyKeyring,
  type Keyring,
  type KeySlot,
} from './keyring-file.js'
import { StretchedPassphrase, unwrapRootKey, wrapRootKey } from './slot-wrap.js'

export interface NewSlot {
  readonly passphrase: Uint8Array
  /** For people, in clear in the file. At most 200 characters. */
  readonly label: string
  /** Argon2id's cost; a cheap one is for tests. */
  readonly cost?: Argon2Cost
  readonly createdMs?: number
}

export interface NewKeyring extends NewSlot {
  /** 16 bytes. */
  readonly chainId: Uint8Array
  readonly suite: AeadSuite
  /** 32 random bytes. */
  readonly rootKey: Uint8Array
}

export interface OpenedKeyring {
  /** 32 bytes; the caller's to wipe. */
  readonly rootKey: Uint8Array
  readonly chainId: Uint8Array
  readonly suite: AeadSuite
  /** The slot that the passphrase opened, 16 hexadecimal digits. */
  readonly slotId: string
  readonly generation: number
}

export interface SlotInfo {
  readonly id: string
  readonly label: string
  readonly createdMs: number
  readonly cost: Argon2Cost
}

export interface KeyringInfo {
  readonly chainId: Uint8Array
  readonly suite: AeadSuite
  readonly generation: number
  readonly slots: readonly SlotInfo[]
}

/** A new file with one slot. */
export async function createKeyring(crypto: CryptoProvider, options: NewKeyring): Promise<Uint8Array> {
  const { chainId, suite, rootKey } = options
  const slot = await makeSlot(crypto, { chainId, suite }, options, crypto.randomBytes(ARGON2_SALT_BYTES), rootKey)
  return encodeKeyring(crypto, { chainId, suite, generation: 1, slots: [slot] }, rootKey)
}

/**
 * Opens the file with a passphrase: WRONG_PASSPHRASE when no slot opens, KEYRING_DAMAGED when it does not parse or is
 * not what the chain's key authenticates, EMPTY_PASSPHRASE. Takes what Argon2id takes (0.3 s), once for all slots
 * made here.
 */
export async function openKeyring(
  crypto: CryptoProvider,
  file: Uint8Array,
  passphrase: Uint8Array,
): Promise<OpenedKeyring> {
  const { keyring, slot, rootKey } = await unlock(crypto, file, passphrase)
  const { chainId, suite, generation } = keyring
  return { rootKey, chainId, suite, slotId: toHex(slot.id), generation }
}

/** What can be known without a passphrase, and so is not authenticated. */
export function describeKeyring(file: Uint8Array): KeyringInfo {
  const { chainId, suite, generation, slots } = decodeKeyring(file)
  const infos = slots.map(({ id, label, createdMs, cost }) => ({ id: toHex(id), label, createdMs, cost }))
  return { chainId, suite, generation, slots: infos }
}

/** A keyring of the chain that was changed after ours. Nothing that others made passes for one. */
export function isLaterKeyring(
  crypto: CryptoProvider,
  { chainId, keyringKey }: Pick<ChainKeys, 'chainId' | 'keyringKey'>,
  ours: Uint8Array,
  theirs: Uint8Array,
): boolean {
  if (!isKeyringOf(crypto, theirs, keyringKey)) return false
  const later = decodeKeyring(theirs)
  return equalBytes(later.chainId, chainId) && later.generation > decodeKeyring(ours).generation
}

/** The slots, without secrets; not authenticated. */
export function listSlots(file: Uint8Array): readonly SlotInfo[] {
  return describeKeyring(file).slots
}

/** Adds a slot for another passphrase. BAD_ARGUMENT when there are 64 already. */
export async function addSlot(
  crypto: CryptoProvider,
  file: Uint8Array,
  passphrase: Uint8Array,
  added: NewSlot,
): Promise<Uint8Array> {
  return edit(crypto, file, passphrase, async (keyring, opened, rootKey) => {
    if (keyring.slots.length >= MAX_SLOTS) {
      throw new AteError('BAD_ARGUMENT', `The keyring has ${MAX_SLOTS} slots, which is all it can hold.`)
    }
    return [...keyring.slots, await makeSlot(crypto, keyring, added, opened.salt, rootKey)]
  })
}

/** Replaces the slot that `passphrase` opens by one for another passphrase. */
export async function changeSlot(
  crypto: CryptoProvider,
  file: Uint8Array,
  passphrase: Uint8Array,
  changed: NewSlot,
): Promise<Uint8Array> {
  return edit(crypto, file, passphrase, async (keyring, opened, rootKey) => {
    const slot = await makeSlot(crypto, keyring, changed, opened.salt, rootKey)
    return keyring.slots.map((other) => (other === opened ? slot : other))
  })
}

/**
 * Removes a slot by id, with the passphrase of any. KEY_SLOT_NOT_FOUND, or LAST_KEY_SLOT: the chain could never be
 * opened again.
 */
export async function removeSlot(
  crypto: CryptoProvider,
  file: Uint8Array,
  passphrase: Uint8Array,
  slotId: string,
): Promise<Uint8Array> {
  return edit(crypto, file, passphrase, async (keyring) => {
    const left = keyring.slots.filter((slot) => toHex(slot.id) !== slotId)
    if (left.length === keyring.slots.length) {
      throw new AteError('KEY_SLOT_NOT_FOUND', 'The chain has no such key slot.')
    }
    if (left.length === 0) {
      throw new AteError('LAST_KEY_SLOT', 'The last slot cannot be removed: nothing could open the chain again.', {
        hint: 'Add another slot first.',
      })
    }
    return left
  })
}

async function edit(
  crypto: CryptoProvider,
  file: Uint8Array,
  passphrase: Uint8Array,
  change: (keyring: Keyring, opened: KeySlot, rootKey: Uint8Array) => Promise<readonly KeySlot[]>,
): Promise<Uint8Array> {
  const { keyring, slot, rootKey } = await unlock(crypto, file, passphrase)
  try {
    const slots = await change(keyring, slot, rootKey)
    return encodeKeyring(crypto, { ...keyring, slots, generation: keyring.generation + 1 }, rootKey)
  } finally {
    wipe(rootKey)
  }
}

async function unlock(
  crypto: CryptoProvider,
  file: Uint8Array,
  passphrase: Uint8Array,
): Promise<{ keyring: Keyring; slot: KeySlot; rootKey: Uint8Array }> {
  const keyring = decodeKeyring(file)
  const stretched = new StretchedPassphrase(passphrase)
  try {
    for (const slot of keyring.slots) {
      const rootKey = await unwrapRootKey(crypto, keyring, slot, stretched)
      if (rootKey === undefined) continue
      verifyKeyring(crypto, file, keyring.chainId, rootKey)
      return { keyring, slot, rootKey }
    }
  } finally {
    stretched.wipe()
  }
  throw new AteError('WRONG_PASSPHRASE', 'Wrong passphrase: it opens no key slot of this chain.')
}

/**
 * Slots share the salt of the keyring: a passphrase is stretched once, however many slots there are. What a salt is
 * for, telling this keyring from all others, it still does.
 */
async function makeSlot(
  crypto: CryptoProvider,
  chain: Pick<Keyring, 'chainId' | 'suite'>,
  options: NewSlot,
  salt: Uint8Array,
  rootKey: Uint8Array,
): Promise<KeySlot> {
  const { label, cost = DEFAULT_ARGON2_COST, createdMs = Date.now() } = options
  if (label.length > MAX_SLOT_LABEL_CHARACTERS) {
    throw new AteError('BAD_ARGUMENT', `The label is longer than ${MAX_SLOT_LABEL_CHARACTERS} characters.`)
  }
  const stretched = new StretchedPassphrase(options.passphrase)
  try {
    const draft = { id: crypto.randomBytes(SLOT_ID_BYTES), label, createdMs, cost, salt }
    return await wrapRootKey(crypto, chain, draft, stretched, rootKey)
  } finally {
    stretched.wipe()
  }
}
