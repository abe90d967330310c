/** The anchor of a chain from its store. */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { errorCode } from '../error.js'
import { decodeAnchor, type Anchor } from './format/anchor-format.js'
import type { AnchorStore, Finding } from './types.js'

export interface AnchorSource {
  anchor?: AnchorStore | undefined
  crypto: CryptoProvider
  keys: ChainKeys
}

/** Undefined when there is none, or one that says nothing because it cannot be read or does not verify. */
export async function readAnchor(
  { anchor, crypto, keys }: AnchorSource,
  onFinding: (finding: Finding) => unknown,
): Promise<Anchor | undefined> {
  try {
    const bytes = await anchor?.read()
    if (bytes === undefined) return undefined
    const decoded = decodeAnchor(crypto, keys, bytes)
    if (decoded === undefined) onFinding({ kind: 'rollback', message: 'the anchor does not verify and is ignored' })
    return decoded
  } catch (error) {
    onFinding({ kind: 'rollback', message: `the anchor cannot be read (${errorCode(error) ?? 'unexpected'})` })
    return undefined
  }
}
