/** The requests about locks on one channel. */
import type { LockOutcome, RequestHandlers, RequestMap, Writer } from '../../sync/index.js'
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
  /** Why it gets none, if so. */
  const refusal = async (begun: Promise<boolean>, ticket: number): Promise<LockOutcome | undefined> => {
    const givenUp = new Promise<LockOutcome>(
      (resolve) => ticket > 0 && beginning.set(ticket, () => resolve('given-up')),
    )
    try {
      return await Promise.race([begun.then((hasRoom) => (hasRoom ? undefined : 'too-many')), givenUp])
    } finally {
      beginning.delete(ticket)
    }
  }
  return {
    // Without a lease nothing else is of any use.
    lease: limited(async ({ session, proof, lease }: RequestMap['lease']['request']) => {
      await demand({ session, proof })
      return locks.attach(user, session, lease)
    }),
    reclaim: limited((told: RequestMap['reclaim']['request']) => ({ outcome: locks.reclaim(user, told.locks) })),
    lock: limited(async ({ ticket, detects, ...wanted }: RequestMap['lock']['request']) => {
      const begun = locks.begun(user)
      const refused = begun === undefined ? undefined : await refusal(begun, ticket)
      if (refused !== undefined) return { outcome: refused }
      return { outcome: await table.lock(user, wanted, ticket === 0 ? undefined : { ticket, detects }) }
    }),
    // Whoever has the lock next reads what was brought before.
    unlock: limited(async (range: RequestMap['unlock']['request']) => {
      await uploads.settled()
      return { outcome: table.unlock(user, range) }
    }),
    test: limited(async (wanted: RequestMap['test']['request']) => {
      await locks.begun(user)
      return { held: table.test(user, wanted) ?? null }
    }),
    unwait: limited(({ ticket }: RequestMap['unwait']['request']) => {
      const giveUp = beginning.get(ticket) ?? (() => table.giveUp(user, ticket))
      giveUp()
      return {}
    }),
  }
}
