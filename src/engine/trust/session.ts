/**
 * Whoever acts, and the keys that he holds: his own, those he has for the moment, and those of his groups. It lives in
 * memory; nothing of it is stored in a chain.
 */
import { AteError } from '../error.js'
import type { KeyId, ReadKey, WriteKey } from './keys.js'

/** Who acts and what he holds. */
export interface SessionOptions {
  /** For people: an e-mail address, a name. */
  identity?: string
  /** Opens what is sealed for them. */
  readKeys?: readonly ReadKey[]
  /** Changes what may be changed with them. */
  writeKeys?: readonly WriteKey[]
  /** What an authority says of him. */
  claims?: Readonly<Record<string, string>>
  /** What he showed to an authority, to be shown to others. Secret. */
  token?: string
  /** Milliseconds since 1970: nothing can be done with it any more. */
  expiresAtMs?: number
  /** More power, for as long as it lasts: a session of its own. */
  sudo?: AteSession
  /** Groups he is in, with the keys of his role. */
  groups?: readonly AteSession[]
}

/**
 * Whoever acts, and the keys that he holds: his own, those he has for the moment, and those of his groups. It lives in memory;
 * nothing of it is stored in a chain.
 */
export class AteSession {
  /** For people. */
  readonly identity: string
  /** What an authority says of him. */
  readonly claims: Readonly<Record<string, string>>
  /** Milliseconds since 1970; Infinity: never. */
  readonly expiresAtMs: number
  readonly #token: string | undefined
  readonly #readKeys: ReadonlyMap<KeyId, ReadKey>
  readonly #writeKeys: ReadonlyMap<KeyId, WriteKey>
  readonly #others: readonly AteSession[]

  constructor(options: SessionOptions = {}) {
    this.identity = options.identity ?? 'an unknown user'
    this.claims = { ...options.claims }
    this.expiresAtMs = options.expiresAtMs ?? Infinity
    this.#token = options.token
    this.#readKeys = new Map((options.readKeys ?? []).map((key) => [key.id, key]))
    this.#writeKeys = new Map((options.writeKeys ?? []).map((key) => [key.id, key]))
    this.#others = [...(options.sudo === undefined ? [] : [options.sudo]), ...(options.groups ?? [])]
  }

  /** What he showed to an authority. Secret. */
  get token(): string | undefined {
    return this.#token
  }

  /** SESSION_EXPIRED. */
  demandValid(nowMs: number): void {
    if (nowMs >= this.expiresAtMs)
      throw new AteError('SESSION_EXPIRED', `The session of ${this.identity} has expired.`, { hint: 'Log in again.' })
  }

  /** A key he holds, here or through a session of his that has not expired. */
  readKey(id: KeyId, nowMs: number): ReadKey | undefined {
    if (nowMs >= this.expiresAtMs) return undefined
    return this.#readKeys.get(id) ?? firstOf(this.#others, (other) => other.readKey(id, nowMs))
  }

  /** A key he holds, here or through a session of his that has not expired. */
  writeKey(id: KeyId, nowMs: number): WriteKey | undefined {
    if (nowMs >= this.expiresAtMs) return undefined
    return this.#writeKeys.get(id) ?? firstOf(this.#others, (other) => other.writeKey(id, nowMs))
  }

  /** A key that says who he is: his own before those of others. */
  anyWriteKey(nowMs: number): WriteKey | undefined {
    if (nowMs >= this.expiresAtMs) return undefined
    const [own] = this.#writeKeys.values()
    return own ?? firstOf(this.#others, (other) => other.anyWriteKey(nowMs))
  }

  /** Never a key or the token. */
  toJSON(): object {
    const { identity, claims } = this
    return { identity, claims }
  }
}

function firstOf<T>(sessions: readonly AteSession[], find: (session: AteSession) => T | undefined): T | undefined {
  for (const session of sessions) {
    const found = find(session)
    if (found !== undefined) return found
  }
  return undefined
}
