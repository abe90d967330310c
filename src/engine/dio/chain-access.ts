/** What queues and services need of the chain they live in. */
import type { CommitOptions } from './commit-options.js'
import type { AteSession } from '../trust/session.js'
import type { Dio } from './dio.js'
import type { DioMut } from './dio-mut.js'
import type { ObjectKey } from './object-key.js'

/** How a transaction is run, and run again. */
export interface TransactOptions extends CommitOptions {
  /** How often it is begun again when something that was read has been changed meanwhile. The default is 10. */
  retries?: number
  /** Who acts: where there are rules, his keys must allow it. */
  session?: AteSession
}

export interface ChainAccess {
  /** Tells this opening of the chain from others. */
  readonly instance: string
  /** Milliseconds since 1970. */
  nowMs(): number
  keyOfName(purpose: string, name: string): ObjectKey
  dio(session?: AteSession): Dio
  transact<T>(work: (dio: DioMut) => Promise<T> | T, options?: TransactOptions): Promise<T>
}
