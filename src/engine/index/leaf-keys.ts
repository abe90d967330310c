/** The keys of all leaves of a store, in order. */
import type { OrderedStore } from './ordered-store.js'
import { encodeKey, RECORD_KEY_BYTES } from './record-key.js'

export const FIRST_LEAF = encodeKey(0, 0, 0)
/** Asked for at once: each question costs as much as many answers. */
const KEYS_AT_ONCE = 64

export function* leafKeys(store: Pick<OrderedStore, 'get' | 'keysAfter'>): Generator<Uint8Array> {
  if (store.get(FIRST_LEAF) !== undefined) yield FIRST_LEAF
  for (let last: Uint8Array | undefined = FIRST_LEAF; last !== undefined;) {
    const keys: Uint8Array[] = store.keysAfter(last, KEYS_AT_ONCE)
    for (const key of keys) {
      if (key.length !== RECORD_KEY_BYTES) return
      yield key
    }
    last = keys[keys.length - 1]
  }
}
