/**
 * One slot: the root key sealed under a key derived from a passphrase. AES-256-GCM whatever the chain's suite: the
 * root key has 256 bits. The seal is bound to chain, suite and slot, so that a slot cannot be moved to another keyring.
 */
import { toHex } from '../bytes/hex.js'
import { concatBytes } from '../bytes/concat.js'
import { deriveFromPassphrase, type Argon2Cost } from '../crypto/argon2.js'
import { dataKey, ROOT_KEY_BYTES, type DataKey } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, type CryptoProvider } from '../crypto/provider.js'
import type { AeadSuite } from '../crypto/suites.js'
import { wipe } from '../crypto/wipe.js'
import type { Keyring, KeySlot } from './keyring-file.js'

/** What Argon2id made of one passphrase, by salt and cost: slots that share both cost one derivation. */
export class StretchedPassphrase {
  readonly #passphrase: Uint8Array
  readonly #stretched = new Map<string, Uint8Array>()

  constructor(passphrase: Uint8Array) {
    this.#passphrase = passphrase
  }

  async stretch(salt: Uint8Array, cost: Argon2Cost): Promise<Uint8Array> {
    const name = `${cost.memoryKiB} ${cost.passes} ${cost.lanes} ${toHex(salt)}`
    const known = this.#stretched.get(name)
    if (known !== undefined) return known
    const stretched = await deriveFromPassphrase(this.#passphrase, salt, cost)
    this.#stretched.set(name, stretched)
    return stretched
  }

  /** Overwrites what was derived; the passphrase is its owner's to wipe. */
  wipe(): void {
    wipe(...this.#stretched.values())
  }
}

export interface SlotDraft {
  readonly id: Uint8Array
  readonly label: string
  readonly createdMs: number
  readonly cost: Argon2Cost
  readonly salt: Uint8Array
}

/** Seals the root key for a passphrase. */
export async function wrapRootKey(
  crypto: CryptoProvider,
  chain: Pick<Keyring, 'chainId' | 'suite'>,
  draft: SlotDraft,
  passphrase: StretchedPassphrase,
  rootKey: Uint8Array,
): Promise<KeySlot> {
  const wrap = await wrappingKey(crypto, draft, passphrase)
  const nonce = crypto.randomBytes(GCM_NONCE_BYTES)
  const wrapped = new Uint8Array(ROOT_KEY_BYTES + GCM_TAG_BYTES)
  crypto.seal(wrap.key, nonce, slotContext(chain.chainId, chain.suite, draft.id), [rootKey], wrapped, 0)
  wipe(wrap.key)
  return { ...draft, wrapId: wrap.id, nonce, wrapped }
}

/** The root key, or undefined when the passphrase is not this slot's. */
export async function unwrapRootKey(
  crypto: CryptoProvider,
  keyring: Keyring,
  slot: KeySlot,
  passphrase: StretchedPassphrase,
): Promise<Uint8Array | undefined> {
  const wrap = await wrappingKey(crypto, slot, passphrase)
  const context = slotContext(keyring.chainId, keyring.suite, slot.id)
  const isOurs = crypto.equal(wrap.id, slot.wrapId)
  const rootKey = isOurs ? crypto.open(wrap.key, slot.nonce, context, slot.wrapped) : undefined
  wipe(wrap.key)
  return rootKey
}

/** One key per slot, although slots share the stretched passphrase when they share the salt. */
async function wrappingKey(crypto: CryptoProvider, slot: SlotDraft, passphrase: StretchedPassphrase): Promise<DataKey> {
  const stretched = await passphrase.stretch(slot.salt, slot.cost)
  return dataKey(crypto, crypto.hkdfSha256(stretched, slot.id, LABELS.keySlot, 32))
}

function slotContext(chainId: Uint8Array, suite: AeadSuite, slotId: Uint8Array): Uint8Array {
  return concatBytes(LABELS.keySlot, chainId, Uint8Array.of(suite), slotId)
}
