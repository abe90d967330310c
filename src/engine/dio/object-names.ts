/** Keys and places of objects that are found by a name. */
import { isUnicode } from '../bytes/unicode.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { MAX_CHILD_NAME_BYTES } from '../limits.js'
import { hashTexts } from './numbers.js'
import { formatKey, type ObjectKey } from './object-key.js'

/** The key of a name. Names are of a purpose, so that those of different ones never meet. */
export function keyOfName(crypto: CryptoProvider, purpose: string, name: string): ObjectKey {
  return formatKey({
    high: hashTexts(crypto, 'atefs name', purpose, name),
    low: hashTexts(crypto, 'atefs name, second half', purpose, name),
  })
}

const utf8 = new TextEncoder()

/** The place of a name in a map. BAD_ARGUMENT for one that is too long, or no Unicode. */
export function placeOfName(crypto: CryptoProvider, name: string): number {
  const { length } = utf8.encode(name)
  if (length > MAX_CHILD_NAME_BYTES)
    throw new AteError('BAD_ARGUMENT', `A name in a map has at most ${MAX_CHILD_NAME_BYTES} bytes, not ${length}.`)
  if (!isUnicode(name))
    throw new AteError('BAD_ARGUMENT', 'A name in a map is not Unicode: it has half a surrogate pair.')
  return hashTexts(crypto, name)
}
