/** Who may read and change an object, and what lies below it. */
import type { KeyId, ReadKey, WriteKey } from './keys.js'

/** `inherit`: as what it lies in. At the top everyone reads. */
export type ReadRule =
  | { readonly kind: 'inherit' }
  /** Everybody who can open the chain. */
  | { readonly kind: 'everyone' }
  /** Who holds one of these keys. */
  | { readonly kind: 'any'; readonly keys: readonly ReadKey[] }

/** `inherit`: as what it lies in. At the top who holds a root key, or everyone where there is none. */
export type WriteRule =
  | { readonly kind: 'inherit' }
  | { readonly kind: 'everyone' }
  /** It stays as it is, for ever. */
  | { readonly kind: 'nobody' }
  /** Who holds one of these keys. */
  | { readonly kind: 'any'; readonly keys: readonly KeyId[] }

/** Makes read rules. */
export const readBy = {
  inherit: { kind: 'inherit' },
  everyone: { kind: 'everyone' },
  /** Only who holds one of these keys. */
  only: (...keys: readonly ReadKey[]): ReadRule => ({ kind: 'any', keys }),
} as const

/** Makes write rules. */
export const writeBy = {
  inherit: { kind: 'inherit' },
  everyone: { kind: 'everyone' },
  nobody: { kind: 'nobody' },
  /** Only who holds one of these keys. */
  only: (...keys: readonly (WriteKey | KeyId)[]): WriteRule => ({
    kind: 'any',
    keys: keys.map((key) => (typeof key === 'string' ? key : key.id)),
  }),
} as const
