/** Whether a file that somebody shows proves that a server has shown two histories of a chain. */
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { checkForkEvidence as check, type ForkReport } from '../sync/index.js'

export type { ForkReport } from '../sync/index.js'

/**
 * `bytes`: of a file `<copy>.evidence`, from anybody. Nothing else is needed: no key of the chain, no server. Compare `serverKey`
 * with the key of the server that is meant. BAD_FORMAT, UNSUPPORTED_FORMAT. Takes some 6 ms.
 */
export function checkForkEvidence(bytes: Uint8Array): ForkReport {
  return check(nativeCrypto, bytes)
}
