/** Keys of objects that are found by a name. */
import type { CryptoProvider } from '../crypto/provider.js'
import { hashTexts } from './numbers.js'
import { formatKey, type ObjectKey } from './object-key.js'

/** The key of a name. Names are of a purpose, so that those of different ones never meet. */
export function keyOfName(crypto: CryptoProvider, purpose: string, name: string): ObjectKey {
  return formatKey({
    high: hashTexts(crypto, 'atefs name', purpose, name),
    low: hashTexts(crypto, 'atefs name, second half', purpose, name),
  })
}
