/** What queues and services need of the chain they live in. */
import type { CommitOptions } from './commit-options.js'
import type { AteSession } from '../trust/session.js'
import type { Dio } from './dio.js'
import type { DioMut } from './dio-mut.js'
import type { ObjectKey } from './object-key.js'

export interface TransactOptions extends CommitOptions {
  /** How often it is begun again when something that was read has been changed meanwhile. The default is 10. */
  retries?: number
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
