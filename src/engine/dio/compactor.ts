/** What a program needs no more: deleted whenever the chain is compacted, so that its space goes too. */
import type { AteSession } from '../trust/session.js'
import type { ChainAccess } from './chain-access.js'
import { type DaoInfo, infoOf, keyOf } from './dao-state.js'
import type { Dao } from './dao.js'
import type { DataType } from './data-type.js'
import type { Dio } from './dio.js'
import type { ObjectKey } from './object-key.js'

/** Objects deleted in one transaction: whoever else wants something is served in between. */
const AT_ONCE = 100

/** Deletes what a program needs no more, whenever its chain is compacted. Made by `compactor`. */
export interface ObjectCompactor {
  /** Deletes what is not needed. What `isNeeded` throws, NOT_AUTHORIZED, CONFLICT, WRITE_FAILED, ... */
  run(chain: ChainAccess): Promise<void>
}

/** How a compactor of the program goes through its objects. */
export interface CompactorOptions {
  /** Who deletes: where there are rules, his keys must allow it. What he cannot read is needed. */
  session?: AteSession
}

/**
 * Objects of a type without a parent that a program needs no more, for example older ones than a day: where `isNeeded` is
 * false they are deleted with their children. It is asked again in the transaction that deletes, and must do nothing else.
 */
export function compactor<D extends DataType>(
  type: D,
  isNeeded: (object: Dao<D>, info: DaoInfo) => boolean,
  { session }: CompactorOptions = {},
): ObjectCompactor {
  const mayGo = (object: Dao<D>): boolean => !isNeeded(object, infoOf(object))
  const remove = (chain: ChainAccess, keys: readonly ObjectKey[]): Promise<void> =>
    chain.transact(
      async (dio) => {
        for (const key of keys) {
          const reader: Dio = dio
          const object = await reader.tryLoad(type, key)
          if (object !== undefined && mayGo(object)) dio.delete(key)
        }
      },
      session === undefined ? {} : { session },
    )
  return {
    async run(chain) {
      let keys: ObjectKey[] = []
      for await (const object of chain.dio(session).roots(type)) {
        if (mayGo(object)) keys.push(keyOf(object))
        if (keys.length < AT_ONCE) continue
        await remove(chain, keys)
        keys = []
      }
      if (keys.length > 0) await remove(chain, keys)
    },
  }
}
