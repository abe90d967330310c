/** The requests about locks on one channel. */
import type { RequestHandlers, RequestMap, Writer } from '../../sync/index.js'
import type { ChainLocks } from './chain-locks.js'

export interface LockGuards {
  /** Holds back who asks for more than is served. */
  readonly limited: <T, R>(answer: (body: T) => R | Promise<R>) => (body: T) => Promise<R>
  /** NOT_AUTHORIZED for who has not shown to have the key of the chain. */
  readonly demand: (writer: Writer) => Promise<void>
}

export interface LockedChain {
  readonly locks: ChainLocks
  readonly uploads: { settled(): Promise<void> }
}

export function lockHandlers(
  { locks, uploads }: LockedChain,
  user: object,
  { limited, demand }: LockGuards,
): RequestHandlers {
  const { table } = locks
  /** Of those for whom locks of before a restart are waited for. */
  const beginning = new Map<number, () => void>()
  /** False when it was given up before. */
  const hasBegun = async (begun: Promise<void>, ticket: number): Promise<boolean> => {
    const givenUp = new Promise<false>((resolve) => ticket > 0 && beginning.set(ticket, () => resolve(false)))
    try {
      return await Promise.race([begun.then(() => true), givenUp])
    } finally {
      beginning.delete(ticket)
    }
  }
  return {
    // Without a lease nothing else is of any use.
    lease: limited(async ({ session, proof, lease }: RequestMap['lease']['request']) => {
      await demand({ session, proof })
      return { lease: table.attach(user, session, lease) }
    }),
    lock: limited(async ({ ticket, detects, ...wanted }: RequestMap['lock']['request']) => {
      const begun = locks.begun()
      if (begun !== undefined && !(await hasBegun(begun, ticket))) return { outcome: 'given-up' }
      return { outcome: await table.lock(user, wanted, ticket === 0 ? undefined : { ticket, detects }) }
    }),
    // Whoever has the lock next reads what was brought before.
    unlock: limited(async (range: RequestMap['unlock']['request']) => {
      await uploads.settled()
      return { outcome: table.unlock(user, range) }
    }),
    test: limited((wanted: RequestMap['test']['request']) => ({ held: table.test(user, wanted) ?? null })),
    unwait: limited(({ ticket }: RequestMap['unwait']['request']) => {
      const giveUp = beginning.get(ticket) ?? (() => table.giveUp(user, ticket))
      giveUp()
      return {}
    }),
  }
}
