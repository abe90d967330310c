/**
 * The key hierarchy of one chain (`docs/security.md`): everything is derived from the root key by HKDF-SHA-256, with a
 * label of its own per key and the chain's id as salt. Keys that seal are never used directly: `sealingKey` derives
 * one per session, so that random nonces cannot meet however often a chain is copied, cut or restored.
 */
import { copyOf } from '../bytes/copy.js'
import { AteError } from '../error.js'
import { LABELS } from './labels.js'
import type { CryptoProvider } from './provider.js'
import { aeadKeyBytes, type AeadSuite } from './suites.js'
import { wipe } from './wipe.js'

export const ROOT_KEY_BYTES = 32
export const CHAIN_ID_BYTES = 16
export const KEY_ID_BYTES = 32
export const SESSION_SALT_BYTES = 32
const NAME_KEY_BYTES = 16
const KEY_BYTES = 32
/** What a signing key is made from. */
const WRITER_SEED_BYTES = 64

/** A key that others are derived from, or that authenticates, with its public name. */
export interface DataKey {
  /** 32 bytes. Secret. */
  readonly key: Uint8Array
  /** 32 bytes: commits to the key (GCM does not), so it is compared before anything is opened. Public. */
  readonly id: Uint8Array
}

export interface ChainKeys {
  /** 16 bytes. Public. */
  readonly chainId: Uint8Array
  readonly suite: AeadSuite
  /** Authenticates the manifest. */
  readonly manifestKey: Uint8Array
  /** Authenticates the keyring. */
  readonly keyringKey: Uint8Array
  /** Authenticates the anchor outside the log. */
  readonly anchorKey: Uint8Array
  /** 16 bytes, for SipHash of names. */
  readonly nameKey: Uint8Array
  /** Authenticates the batches of the local writer. */
  readonly author: DataKey
  /** Seals records. */
  readonly member: DataKey
  /** Seals content. */
  readonly access: DataKey
  /** Seals the leaves of the index. */
  readonly index: DataKey
  /** 64 bytes, of the pair of keys by which a server knows who may have the writer's turn. */
  readonly writerSeed: Uint8Array
}

/** All keys of a chain. The root key is not kept and may be wiped after. */
export function deriveChainKeys(
  crypto: CryptoProvider,
  rootKey: Uint8Array,
  chainId: Uint8Array,
  suite: AeadSuite,
): ChainKeys {
  const derive = (label: Uint8Array, length = KEY_BYTES) => deriveFromRoot(crypto, rootKey, chainId, label, length)
  return {
    chainId: copyOf(chainId),
    suite,
    manifestKey: derive(LABELS.manifestKey),
    keyringKey: derive(LABELS.keyringKey),
    anchorKey: derive(LABELS.anchorKey),
    nameKey: derive(LABELS.nameKey, NAME_KEY_BYTES),
    author: dataKey(crypto, derive(LABELS.authorKey)),
    member: dataKey(crypto, derive(LABELS.memberKey)),
    access: dataKey(crypto, derive(LABELS.accessKey)),
    index: dataKey(crypto, derive(LABELS.indexKey)),
    writerSeed: derive(LABELS.writerKey, WRITER_SEED_BYTES),
  }
}

/** Overwrites every secret of `keys`. */
export function wipeChainKeys(keys: ChainKeys): void {
  wipe(keys.manifestKey, keys.keyringKey, keys.anchorKey, keys.nameKey)
  wipe(keys.author.key, keys.member.key, keys.access.key, keys.index.key, keys.writerSeed)
}

/** One key of a chain: `label` is one of LABELS, `length` in bytes. */
export function deriveFromRoot(
  crypto: CryptoProvider,
  rootKey: Uint8Array,
  chainId: Uint8Array,
  label: Uint8Array,
  length: number,
): Uint8Array {
  demandLength(rootKey, ROOT_KEY_BYTES, 'root key')
  demandLength(chainId, CHAIN_ID_BYTES, 'chain id')
  return crypto.hkdfSha256(rootKey, chainId, label, length)
}

/** Names a 32-byte key by a hash of it. The key is kept, not copied. */
export function dataKey(crypto: CryptoProvider, key: Uint8Array): DataKey {
  demandLength(key, KEY_BYTES, 'data key')
  return { key, id: crypto.sha256(LABELS.keyId, key) }
}

/**
 * The AES key of one session (or segment, or leaf writer): `salt` is 32 random bytes drawn by whoever seals and stored
 * beside what is sealed. At most 2^28 seals with random nonces per salt. The suite is part of the derivation: the key
 * of a shorter AES is not the beginning of that of a longer one.
 */
export function sealingKey(crypto: CryptoProvider, data: DataKey, salt: Uint8Array, suite: AeadSuite): Uint8Array {
  demandLength(salt, SESSION_SALT_BYTES, 'salt')
  const info = new Uint8Array(LABELS.sealingKey.length + 1)
  info.set(LABELS.sealingKey)
  info[LABELS.sealingKey.length] = suite
  return crypto.hkdfSha256(data.key, salt, info, aeadKeyBytes(suite))
}

function demandLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length === length) return
  throw new AteError('BAD_ARGUMENT', `The ${what} must be ${length} bytes, not ${bytes.length}.`)
}
