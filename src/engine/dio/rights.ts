/** Who acts, told by the keys that he shows to hold. */
import type { SigningKey } from '../crypto/signature.js'
import { AteError } from '../error.js'
import { MAX_PROOF_KEYS } from '../limits.js'
import type { KeyId, WriteKey } from '../trust/keys.js'
import type { AteSession } from '../trust/session.js'

export interface Rights {
  /** For people: whose they are. */
  readonly of: string
  holdsOneOf(keys: readonly KeyId[]): boolean
}

/** Those of a session. Remembers which keys were needed: they sign. */
export class SessionRights implements Rights {
  readonly of: string
  readonly #session: AteSession
  readonly #nowMs: number
  readonly #used = new Map<KeyId, WriteKey>()

  /** SESSION_EXPIRED. */
  constructor(session: AteSession, nowMs: number) {
    session.demandValid(nowMs)
    this.of = `the session of ${session.identity}`
    this.#session = session
    this.#nowMs = nowMs
  }

  holdsOneOf(keys: readonly KeyId[]): boolean {
    if (keys.some((id) => this.#used.has(id))) return true
    for (const id of keys) {
      const key = this.#session.writeKey(id, this.#nowMs)
      if (key === undefined) continue
      this.#used.set(id, key)
      return true
    }
    return false
  }

  /** The keys whose rights were used; where everybody may, one that says who it was. TRANSACTION_TOO_LARGE. */
  signers(): SigningKey[] {
    const author = this.#used.size === 0 ? this.#session.anyWriteKey(this.#nowMs) : undefined
    const keys = author === undefined ? [...this.#used.values()] : [author]
    if (keys.length <= MAX_PROOF_KEYS) return keys.map(({ signing }) => signing)
    const message = `The transaction uses the rights of ${keys.length} keys; ${MAX_PROOF_KEYS} can sign one.`
    throw new AteError('TRANSACTION_TOO_LARGE', message)
  }
}

/** Of a batch that somebody else wrote: the keys that signed it. */
export class ProvenRights implements Rights {
  readonly of = 'who signed it'
  readonly #keys: ReadonlySet<KeyId>

  constructor(keys: Iterable<KeyId>) {
    this.#keys = new Set(keys)
  }

  holdsOneOf(keys: readonly KeyId[]): boolean {
    return keys.some((id) => this.#keys.has(id))
  }
}
