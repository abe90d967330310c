/**
 * Argon2id (RFC 9106) by hash-wasm: WebAssembly, so the same speed and the same code in Node and in browsers. The cost
 * is read from files that anybody may have written, so it is checked before any memory or time is spent.
 */
import { AteError } from '../error.js'

export interface Argon2Cost {
  /** Memory in KiB. */
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** The second recommended option of RFC 9106, section 4: about 0.3 s and 64 MiB on a laptop. */
export const DEFAULT_ARGON2_COST: Argon2Cost = { memoryKiB: 64 * 1024, passes: 3, lanes: 4 }

export const ARGON2_SALT_BYTES = 32
const KEY_BYTES = 32
const MAX_MEMORY_KIB = 1024 * 1024
const MAX_LANES = 64
/** Memory times passes: time is proportional to it. 4 GiB are about 8 s. */
const MAX_WORK_KIB = 4 * 1024 * 1024

/** KiB touched: what the time is proportional to. */
export function argon2Work(cost: Argon2Cost): number {
  return cost.memoryKiB * cost.passes
}

/** Throws BAD_FORMAT for a cost that is invalid (RFC 9106, section 3.1) or beyond what this program spends. */
export function checkArgon2Cost(cost: Argon2Cost): void {
  const { memoryKiB, passes, lanes } = cost
  const isValid = [memoryKiB, passes, lanes].every((value) => Number.isSafeInteger(value) && value >= 1)
  if (isValid && lanes <= MAX_LANES && memoryKiB >= 8 * lanes) {
    if (memoryKiB <= MAX_MEMORY_KIB && argon2Work(cost) <= MAX_WORK_KIB) return
  }
  throw new AteError('BAD_FORMAT', `Argon2id with ${memoryKiB} KiB, ${passes} passes and ${lanes} lanes is refused.`)
}

/** 32 bytes from a passphrase that is not empty (EMPTY_PASSPHRASE) and a salt of 32 bytes. */
export async function deriveFromPassphrase(
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<Uint8Array> {
  if (passphrase.length === 0) throw new AteError('EMPTY_PASSPHRASE', 'The passphrase is empty.')
  checkArgon2Cost(cost)
  // Here, not above: loading it takes longer than most commands, and few derive a key.
  const { argon2id } = await import('hash-wasm')
  return argon2id({
    password: passphrase,
    salt,
    memorySize: cost.memoryKiB,
    iterations: cost.passes,
    parallelism: cost.lanes,
    hashLength: KEY_BYTES,
    outputType: 'binary',
  })
}
