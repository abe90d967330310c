/**
 * Locks of a chain that several machines change: what is locked stands in the chain, so that who takes a lock takes it in turn.
 * No clocks are compared: a lock whose holder has not renewed it for as long as its lease is free, as measured by who waits.
 */
import { after } from '../after.js'
import { AteError } from '../error.js'
import type { ChainAccess } from './chain-access.js'
import { dataType } from './data-type.js'
import { Deadline } from './deadline.js'
import { ChainLock, type WaitOptions } from './locks.js'
import type { ObjectKey } from './object-key.js'
import { plain } from './standard-schema.js'

const DEFAULT_LEASE_MS = 30_000
/** Who waits looks so often. */
const LOOK_MS = 100
/** The holder counts from before its commit; who waits, from when it sees that. */
const MARGIN_MS = 1000
/** The end of a chain waits for the release of its locks. */
const CLOSE_MS = 1000
/** A lock counts when the server has it: nobody else can have taken it then. */
const ON_SERVER = { durability: 'server', retries: 100 } as const

/** `holder` is '' when it is free. `beat` is another one each time it is renewed. */
const Lock = dataType(
  'atefs.Lock',
  plain<{ name: string; holder: string; fence: number; beat: number; leaseMs: number }>(),
)

/** What was seen of it, and since when. */
interface Seen {
  readonly mark: string
  readonly sinceMs: number
}

type Found = { readonly fence: number } | { readonly mark: string; readonly leaseMs: number }

export class SharedLocks {
  readonly #chain: ChainAccess
  readonly #held = new Set<ChainLock>()
  readonly #ending = new Set<Promise<void>>()
  #isClosed = false

  constructor(chain: ChainAccess) {
    this.#chain = chain
  }

  /** Waits until it is free, and takes it. TIMED_OUT, ABORTED, CHAIN_CLOSED, and what a commit fails with. */
  async lock(name: string, options: WaitOptions = {}): Promise<ChainLock> {
    using deadline = new Deadline(options)
    const { leaseMs = DEFAULT_LEASE_MS } = options
    let seen: Seen | undefined
    for (;;) {
      if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
      const nowMs = performance.now()
      const found = await this.#take(name, leaseMs, seen, nowMs)
      if ('fence' in found) return this.#begin(name, found.fence, leaseMs, nowMs)
      if (seen?.mark !== found.mark) seen = { mark: found.mark, sinceMs: performance.now() }
      await pause(deadline.signal)
      if (deadline.signal.aborted)
        throw deadline.isGivenUp
          ? new AteError('ABORTED', `The lock ${name} was not waited for.`)
          : new AteError('TIMED_OUT', `The lock ${name} was not free in time.`)
    }
  }

  /** Releases all; resolves when that is done, or it has taken too long: they run out then. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const lock of this.#held) lock.unlock()
    await Promise.race([Promise.all(this.#ending), new Promise<void>((resolve) => after(CLOSE_MS, resolve))])
  }

  /** In the chain, when it is free there: as it says, or because nobody has renewed what was seen for too long. */
  async #take(name: string, leaseMs: number, seen: Seen | undefined, nowMs: number): Promise<Found> {
    const key = this.#keyOf(name)
    return await this.#chain.transact(async (dio): Promise<Found> => {
      const lock = await dio.tryLoad(Lock, key)
      if (lock === undefined) {
        dio.store({ name, holder: this.#chain.instance, fence: 1, beat: 0, leaseMs }, { type: Lock, key })
        return { fence: 1 }
      }
      const mark = `${lock.fence}.${lock.beat}`
      const isOver = seen?.mark === mark && nowMs - seen.sinceMs > lock.leaseMs + MARGIN_MS
      if (lock.holder !== '' && !isOver) return { mark, leaseMs: lock.leaseMs }
      Object.assign(lock, { holder: this.#chain.instance, fence: lock.fence + 1, beat: 0, leaseMs })
      return { fence: lock.fence }
    }, ON_SERVER)
  }

  /** Its lease runs since before it stood in the chain. */
  #begin(name: string, fence: number, leaseMs: number, sinceMs: number): ChainLock {
    const end = (): void => {
      this.#held.delete(lock)
      this.#ending.add(this.#change(name, fence, (found) => (found.holder = '')).catch(() => undefined))
    }
    const renew = async (): Promise<number> => {
      const beganMs = performance.now()
      await this.#change(name, fence, (found) => found.beat++)
      return leftOf(leaseMs, beganMs)
    }
    const lock: ChainLock = new ChainLock(name, fence, leftOf(leaseMs, sinceMs), end, renew)
    this.#held.add(lock)
    return lock
  }

  /** LOCK_LOST when it is somebody else's by now. */
  #change(name: string, fence: number, change: (lock: { holder: string; beat: number }) => void): Promise<void> {
    return this.#chain.transact(async (dio) => {
      const lock = await dio.tryLoad(Lock, this.#keyOf(name))
      if (lock?.fence !== fence || lock.holder !== this.#chain.instance)
        throw new AteError('LOCK_LOST', `The lock ${name} is somebody else's by now.`)
      change(lock)
    }, ON_SERVER)
  }

  #keyOf(name: string): ObjectKey {
    return this.#chain.keyOfName('lock', name)
  }
}

function leftOf(leaseMs: number, sinceMs: number): number {
  return Math.max(0, leaseMs - (performance.now() - sinceMs))
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = after(LOOK_MS, resolve)
    signal.addEventListener('abort', () => {
      stop()
      resolve()
    })
  })
}
