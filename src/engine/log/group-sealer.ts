/**
 * Seals groups with keys of this session. The salt is drawn when the log is opened and never stored but in the groups, so
 * no restart, rollback or copy of the directory can make two sealers share a key; nonces are random under it.
 */
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, type CryptoProvider } from '../crypto/provider.js'
import { SESSION_SALT_BYTES, sealingKey, type ChainKeys, type DataKey } from '../crypto/chain-keys.js'
import { wipe } from '../crypto/wipe.js'
import { byteLength } from '../bytes/concat.js'
import { GROUP_HEADER_BYTES, GROUP_RANDOM_BYTES, randomOf, writeGroupHeader } from './format/group-header.js'
import { groupFlags } from './format/group-kinds.js'
import { GroupContext } from './group-context.js'
import { GROUP_CONTENT, type GroupDraft, type GroupKind } from './types.js'

/** With 96-bit random nonces, more would bring a repeated one nearer than 2^-40. */
export const MAX_SEALS_PER_KEY = 2 ** 28

interface SessionKey {
  data: DataKey
  salt: Uint8Array
  key: Uint8Array
  sealsLeft: number
}

export interface SealedGroup {
  storedBytes: number
  /** As in GroupPlace. */
  random: number
}

export class GroupSealer {
  readonly #crypto: CryptoProvider
  readonly #keys: ChainKeys
  readonly #context: GroupContext
  readonly #maxSeals: number
  #salt: Uint8Array
  #member: SessionKey | undefined
  #access: SessionKey | undefined

  /** `maxSeals` is for tests. */
  constructor(crypto: CryptoProvider, keys: ChainKeys, maxSeals = MAX_SEALS_PER_KEY) {
    this.#crypto = crypto
    this.#keys = keys
    this.#context = new GroupContext(keys)
    this.#maxSeals = maxSeals
    this.#salt = crypto.randomBytes(SESSION_SALT_BYTES)
  }

  /** Writes header, ciphertext and tag into `target` at `at`. */
  seal(draft: GroupDraft, target: Uint8Array, at: number): SealedGroup {
    const session = this.#sessionKey(draft.kind)
    const nonce = this.#crypto.randomBytes(GCM_NONCE_BYTES)
    const header = this.#context.header
    writeGroupHeader(header, {
      kind: draft.kind,
      flags: groupFlags(draft.kind),
      sealedBytes: byteLength(draft.parts) + GCM_TAG_BYTES,
      number: draft.number,
      random: this.#crypto.randomBytes(GROUP_RANDOM_BYTES),
      keyId: session.data.id,
      salt: session.salt,
      nonce,
    })
    target.set(header, at)
    const bodyAt = at + GROUP_HEADER_BYTES
    const sealed = this.#crypto.seal(session.key, nonce, this.#context.aad, draft.parts, target, bodyAt)
    return { storedBytes: GROUP_HEADER_BYTES + sealed, random: randomOf(header) }
  }

  /** Forgets the session's keys. */
  wipe(): void {
    if (this.#member !== undefined) wipe(this.#member.key)
    if (this.#access !== undefined) wipe(this.#access.key)
    this.#member = undefined
    this.#access = undefined
  }

  #sessionKey(kind: GroupKind): SessionKey {
    const isContent = kind === GROUP_CONTENT
    const current = isContent ? this.#access : this.#member
    if (current !== undefined && current.sealsLeft > 0) {
      current.sealsLeft--
      return current
    }
    if (current !== undefined) this.#salt = this.#crypto.randomBytes(SESSION_SALT_BYTES)
    const data = isContent ? this.#keys.access : this.#keys.member
    const key = sealingKey(this.#crypto, data, this.#salt, this.#keys.suite)
    const fresh: SessionKey = { data, salt: this.#salt, key, sealsLeft: this.#maxSeals - 1 }
    if (isContent) this.#access = fresh
    else this.#member = fresh
    return fresh
  }
}
