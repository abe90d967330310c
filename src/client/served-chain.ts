/** Whether what a server opens is the chain that is meant. */
import { equalBytes } from '../engine/bytes/equal.js'
import { AteError } from '../engine/error.js'
import type { ChainTrust } from '../engine/log/types.js'
import type { Opened, TrustMode } from '../sync/index.js'

export interface WantedChain {
  readonly chainId: Uint8Array
  readonly suite: number
  readonly trust: ChainTrust
}

/** In centralized trust whoever has the key of the chain may write: that is what `local` says in the log. */
export function trustAt(trust: ChainTrust): TrustMode {
  return trust === 'local' ? 'centralized' : 'distributed'
}

export function trustHere(trust: TrustMode): ChainTrust {
  return trust === 'centralized' ? 'local' : 'distributed'
}

/** OTHER_CHAIN. */
export function demandServed({ id, suite, trust }: Opened, wanted: WantedChain): void {
  if (equalBytes(id, wanted.chainId) && suite === wanted.suite && trust === trustAt(wanted.trust)) return
  throw new AteError('OTHER_CHAIN', 'The server has another chain of that name than the copy here.', {
    hint: 'Open it under another log path, or move the copy away.',
  })
}
