/**
 * Merkle tree hash of RFC 6962, section 2.1: leaves are hashed with prefix 0, inner nodes with prefix 1, and a tree of n
 * leaves splits at the largest power of two below n. The digest of a group is the leaf hash of its stored bytes, so a
 * batch's root commits to every byte of its groups, and later a single group can be proven to belong to it.
 */
import { copyOf } from '../../bytes/copy.js'
import type { CryptoProvider } from '../../crypto/provider.js'

const LEAF_PREFIX = Uint8Array.of(0)
const NODE_PREFIX = Uint8Array.of(1)

/** Leaf hash: SHA-256(0x00 || data). */
export function merkleLeaf(crypto: CryptoProvider, data: Uint8Array): Uint8Array {
  return crypto.sha256(LEAF_PREFIX, data)
}

/** Root over leaf hashes in order; SHA-256 of nothing for no leaves. */
export function merkleRoot(crypto: CryptoProvider, leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return crypto.sha256()
  // Pairing neighbours level by level, an odd last one moving up unchanged, gives the same tree as the recursive split.
  let level = leaves
  while (level.length > 1) level = parents(crypto, level)
  const root = level[0]
  return root === undefined ? crypto.sha256() : copyOf(root)
}

function parents(crypto: CryptoProvider, level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i]
    const right = level[i + 1]
    if (left === undefined) break
    above.push(right === undefined ? left : crypto.sha256(NODE_PREFIX, left, right))
  }
  return above
}
