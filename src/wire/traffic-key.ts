/** The keys of one direction: each is followed by the next, and the one before is wiped. */
import { copyOf } from '../engine/bytes/copy.js'
import { concatBytes } from '../engine/bytes/concat.js'
import { LABELS } from '../engine/crypto/labels.js'
import { type CryptoProvider, GCM_NONCE_BYTES } from '../engine/crypto/provider.js'
import { aeadKeyBytes, type AeadSuite } from '../engine/crypto/suites.js'
import { wipe } from '../engine/crypto/wipe.js'
import { AteError } from '../engine/error.js'
import { BYTES_PER_KEY, FRAMES_PER_KEY } from './limits.js'
import type { Role } from './packet-types.js'

const NO_SALT = new Uint8Array(0)
const SECRET_BYTES = 32
const TWO_32 = 2 ** 32

/** How much one key seals. Both sides must count the same. */
export interface KeyLimits {
  frames: number
  bytes: number
}

const LIMITS: KeyLimits = { frames: FRAMES_PER_KEY, bytes: BYTES_PER_KEY }

/** The first secret of what `sender` sends. */
export function directionSecret(
  crypto: CryptoProvider,
  sharedSecret: Uint8Array,
  transcript: Uint8Array,
  sender: Role,
): Uint8Array {
  const label = sender === 'client' ? LABELS.wireClientFrames : LABELS.wireServerFrames
  return crypto.hkdfSha256(sharedSecret, transcript, label, SECRET_BYTES)
}

export class TrafficKey {
  readonly #crypto: CryptoProvider
  readonly #suite: AeadSuite
  readonly #limits: KeyLimits
  #secret: Uint8Array
  #key: Uint8Array
  #iv: Uint8Array
  #frames = 0
  #bytes = 0
  #isWiped = false

  /** Takes the secret, and wipes it when it is done with it. */
  constructor(crypto: CryptoProvider, suite: AeadSuite, secret: Uint8Array, limits = LIMITS) {
    this.#crypto = crypto
    this.#suite = suite
    this.#limits = limits
    this.#secret = secret
    const { key, iv } = this.#derive()
    this.#key = key
    this.#iv = iv
  }

  /** Secret: valid until the next call of `count`. Nothing is ever sealed under a key that was wiped. */
  get key(): Uint8Array {
    if (this.#isWiped) throw new AteError('CONNECTION_CLOSED', 'The connection is closed.')
    return this.#key
  }

  /** Of the frame of this number, which no other frame of the connection has. */
  nonce(number: number): Uint8Array {
    const nonce = copyOf(this.#iv)
    let low = number >>> 0
    let high = Math.floor(number / TWO_32)
    for (let i = 0; i < 4; i++) {
      nonce[4 + i] = (nonce[4 + i] ?? 0) ^ (low & 0xff)
      nonce[8 + i] = (nonce[8 + i] ?? 0) ^ (high & 0xff)
      low >>>= 8
      high >>>= 8
    }
    return nonce
  }

  /** A payload of so many bytes has been sealed or opened. */
  count(bytes: number): void {
    this.#frames++
    this.#bytes += bytes
    if (this.#frames < this.#limits.frames && this.#bytes < this.#limits.bytes) return
    const next = this.#crypto.hkdfSha256(this.#secret, NO_SALT, LABELS.wireNextSecret, SECRET_BYTES)
    wipe(this.#secret, this.#key, this.#iv)
    this.#secret = next
    const { key, iv } = this.#derive()
    this.#key = key
    this.#iv = iv
    this.#frames = 0
    this.#bytes = 0
  }

  wipe(): void {
    this.#isWiped = true
    wipe(this.#secret, this.#key, this.#iv)
  }

  #derive(): { key: Uint8Array; iv: Uint8Array } {
    const length = aeadKeyBytes(this.#suite)
    const info = concatBytes(LABELS.wireFrameKey, Uint8Array.of(this.#suite))
    const derived = this.#crypto.hkdfSha256(this.#secret, NO_SALT, info, length + GCM_NONCE_BYTES)
    return { key: derived.subarray(0, length), iv: derived.subarray(length) }
  }
}
