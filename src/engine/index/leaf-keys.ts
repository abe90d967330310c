/** The keys of the leaves of a store, in order. */
import type { OrderedStore } from './ordered-store.js'
import { encodeKey, RECORD_KEY_BYTES } from './record-key.js'

export const FIRST_LEAF = encodeKey(0, 0, 0)
/** Asked for at once: each question costs as much as many answers. */
const KEYS_AT_ONCE = 64

/** From `first` on: all of them when it is not given. */
export function* leafKeys(
  store: Pick<OrderedStore, 'get' | 'keysAfter'>,
  first: Uint8Array = FIRST_LEAF,
): Generator<Uint8Array> {
  if (store.get(first) !== undefined) yield first
  for (let last: Uint8Array | undefined = first; last !== undefined;) {
    const keys: Uint8Array[] = store.keysAfter(last, KEYS_AT_ONCE)
    for (const key of keys) {
      if (key.length !== RECORD_KEY_BYTES) return
      yield key
    }
    last = keys[keys.length - 1]
  }
}
