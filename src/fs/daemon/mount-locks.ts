/**
 * The locks of a mount whose chain others change too: the server keeps them, by names of files and owners that say nothing to it.
 */
import { nativeCrypto } from '../../adapters/node/native-crypto.js'
import type { LockAnswer, RemoteLocks } from '../../client/index.js'
import { fromHex, toHex } from '../../engine/bytes/hex.js'
import type { ChainKeys } from '../../engine/crypto/chain-keys.js'
import { LABELS } from '../../engine/crypto/labels.js'
import type { FileLock, FileLocks, OwnedRange } from '../drivers/driver.js'
import type { ChangedElsewhere, Ino } from '../vfs/types.js'

const KEY_BYTES = 32
const FILE_BYTES = 16
/** Above it those are forgotten that nobody uses. */
const MAX_NAMES = 10_000
const SPACES = ['fcntl', 'flock'] as const
const WHOLE = { from: 0, to: Number.MAX_SAFE_INTEGER }

export interface MountLocksOptions {
  readonly locks: Pick<RemoteLocks, 'lock' | 'unlock' | 'test' | 'isLost' | 'isUsed' | 'isHeldBy'>
  readonly keys: Pick<ChainKeys, 'nameKey' | 'chainId'>
  /** Resolves when everything that others changed is here. TIMED_OUT. */
  readonly refresh: () => Promise<void>
}

export class MountLocks implements FileLocks {
  /** Told of files whose content is not to be believed, on which a lock was lost. */
  onLost: (changed: ChangedElsewhere) => void = () => undefined
  readonly #options: MountLocksOptions
  readonly #key: Uint8Array
  /** By file: its names in hexadecimal. */
  readonly #names = new Map<Ino, readonly string[]>()

  constructor(options: MountLocksOptions) {
    const { nameKey, chainId } = options.keys
    this.#options = options
    this.#key = nativeCrypto.hkdfSha256(nameKey, chainId, LABELS.lockNames, KEY_BYTES)
  }

  async lock(wanted: FileLock, waits: boolean, signal: AbortSignal): Promise<LockAnswer> {
    const { locks, refresh } = this.#options
    const { isExclusive } = wanted
    const range = this.#named(wanted)
    const hadSome = locks.isHeldBy(range)
    // Of flock(2) nobody is told that two wait for each other.
    const answer = await locks.lock({ ...range, isExclusive }, { waits, detects: wanted.space === 'fcntl', signal })
    if (answer !== 'granted') return answer
    try {
      await refresh()
      if (!locks.isLost(toHex(range.file))) return 'granted'
    } catch {
      // What the others wrote cannot be had: then the lock is of no use.
    }
    // Who had some of it before goes on having that: what he has beyond it goes when he lets go.
    if (!hadSome) await locks.unlock(range)
    return 'unavailable'
  }

  async unlock(range: OwnedRange): Promise<LockAnswer> {
    return await this.#options.locks.unlock(this.#named(range))
  }

  async test(wanted: FileLock): ReturnType<FileLocks['test']> {
    const { isExclusive } = wanted
    const held = await this.#options.locks.test({ ...this.#named(wanted), isExclusive })
    if (held === undefined) return undefined
    const { from, to, owner, isOwn } = held
    return { from, to, isExclusive: held.isExclusive, ...(isOwn ? { owner: toHex(owner) } : {}) }
  }

  isLost(ino: Ino): boolean {
    const names = this.#names.get(ino)
    return names !== undefined && names.some((name) => this.#options.locks.isLost(name))
  }

  /** Files by their names. */
  lost(files: readonly string[]): void {
    const content = WHOLE
    const inodes = [...this.#names]
      .filter(([, names]) => names.some((name) => files.includes(name)))
      .map(([ino]) => ({ ino, content }))
    if (inodes.length > 0) this.onLost({ entries: [], directories: [], inodes })
  }

  #named({ ino, space, owner, from, to }: OwnedRange) {
    const name = this.#namesOf(ino)[SPACES.indexOf(space)] ?? ''
    return { file: fromHex(name), owner: fromHex(owner), from, to }
  }

  #namesOf(ino: Ino): readonly string[] {
    const known = this.#names.get(ino)
    if (known !== undefined) return known
    if (this.#names.size >= MAX_NAMES) this.#forgetUnused()
    const bytes = new Uint8Array(9)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(ino), true)
    const names = SPACES.map((_, space) => {
      bytes[8] = space
      return toHex(nativeCrypto.hmacSha256(this.#key, bytes).subarray(0, FILE_BYTES))
    })
    this.#names.set(ino, names)
    return names
  }

  #forgetUnused(): void {
    for (const [ino, names] of this.#names)
      if (!names.some((name) => this.#options.locks.isUsed(name))) this.#names.delete(ino)
  }
}
