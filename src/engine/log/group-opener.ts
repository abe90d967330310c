/**
 * Opens sealed groups. The key id is compared before anything is decrypted: GCM alone would let one ciphertext open under
 * two keys. Sealing keys of past sessions are derived once and kept in a bounded cache.
 */
import { equalBytes } from '../bytes/equal.js'
import { sealingKey, type ChainKeys, type DataKey } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { wipe } from '../crypto/wipe.js'
import {
  GROUP_HEADER_BYTES,
  GROUP_OVERHEAD_BYTES,
  type GroupHeaderViews,
  groupHeaderViews,
  headerOf,
  viewOf,
} from './format/group-header.js'
import { knownKind } from './format/group-kinds.js'
import { GroupContext } from './group-context.js'
import { GROUP_CONTENT, type GroupKind } from './types.js'

/** Sessions whose keys are kept; deriving one costs 10 us. */
const MAX_SESSION_KEYS = 256

interface SessionKey {
  salt: Uint8Array
  data: DataKey
  key: Uint8Array
}

/** What the reference to a group says of it. */
export interface ExpectedGroup {
  kind: number
  number: number
  /** As in GroupPlace; not compared when absent. */
  random?: number | undefined
}

export class GroupOpener {
  readonly #crypto: CryptoProvider
  readonly #keys: ChainKeys
  readonly #context: GroupContext
  /** Of the header in `#context`. */
  readonly #view: DataView
  readonly #parts: GroupHeaderViews
  readonly #sessions = new Map<number, SessionKey>()

  constructor(crypto: CryptoProvider, keys: ChainKeys) {
    this.#crypto = crypto
    this.#keys = keys
    this.#context = new GroupContext(keys)
    this.#view = viewOf(this.#context.header)
    this.#parts = groupHeaderViews(this.#context.header)
  }

  /**
   * The content of the group stored in exactly `stored`, in `into` (of its length) where given; undefined when it does not
   * verify or is another one.
   */
  open(stored: Uint8Array, expected: ExpectedGroup, into?: Uint8Array): Uint8Array | undefined {
    if (stored.length < GROUP_OVERHEAD_BYTES) return undefined
    this.#takeHeader(stored)
    const header = headerOf(this.#view, stored.length, this.#parts)
    if (header === undefined || header.kind !== expected.kind || header.number !== expected.number) return undefined
    if (expected.random !== undefined && header.random !== expected.random) return undefined
    const kind = knownKind(header.kind, header.flags)
    if (kind === undefined) return undefined
    const data = this.#dataKey(kind)
    if (!equalBytes(data.id, header.keyId)) return undefined
    const key = this.#sessionKey(data, header.salt)
    return this.#crypto.open(key, header.nonce, this.#context.aad, stored.subarray(GROUP_HEADER_BYTES), into)
  }

  #takeHeader(stored: Uint8Array): void {
    const { header } = this.#context
    for (let i = 0; i < GROUP_HEADER_BYTES; i++) header[i] = stored[i] ?? 0
  }

  /** Forgets the derived keys. */
  wipe(): void {
    for (const { key } of this.#sessions.values()) wipe(key)
    this.#sessions.clear()
  }

  #dataKey(kind: GroupKind): DataKey {
    return kind === GROUP_CONTENT ? this.#keys.access : this.#keys.member
  }

  #sessionKey(data: DataKey, salt: Uint8Array): Uint8Array {
    const name = cacheName(salt, data === this.#keys.member)
    const cached = this.#sessions.get(name)
    if (cached !== undefined && cached.data === data && equalBytes(cached.salt, salt)) return cached.key
    const key = sealingKey(this.#crypto, data, salt, this.#keys.suite)
    if (cached !== undefined || this.#sessions.size >= MAX_SESSION_KEYS)
      this.#forget(cached === undefined ? undefined : name)
    this.#sessions.set(name, { salt: Uint8Array.from(salt), data, key })
    return key
  }

  /** Oldest first: with one salt per mount, what was used first is the least likely to come back in a burst. */
  #forget(name: number | undefined): void {
    const victim = name ?? this.#sessions.keys().next().value
    if (victim === undefined) return
    const session = this.#sessions.get(victim)
    if (session !== undefined) wipe(session.key)
    this.#sessions.delete(victim)
  }
}

/** 47 bits of the salt and one for the key: a plain number, so that looking a session up makes no string. */
function cacheName(salt: Uint8Array, isMember: boolean): number {
  let name = isMember ? 1 : 0
  for (let i = 0; i < 6; i++) name = name * 256 + (salt[i] ?? 0)
  return name
}
