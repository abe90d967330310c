/** Who wrote what of a chain, told to somebody who cannot open it. */
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { toHex } from '../engine/bytes/hex.js'
import { authorsOf } from '../engine/log/authors.js'
import { type KeyId, keyIdOf } from '../engine/trust/keys.js'

/** A batch of a chain of distributed trust, as somebody who cannot open the chain sees it. */
export interface VerifiedBatch {
  /** Hexadecimal, as in the log's manifest and segments. */
  readonly chainId: string
  /** Its place in the history, from 1. */
  readonly sequence: number
  /** Hexadecimal: identifies all history up to the batch. */
  readonly digest: string
  /** The write keys that signed it; none: whoever has the key of the chain. */
  readonly signers: readonly KeyId[]
  /** False where the bytes of some content are gone or others: what it was is not told by this file. */
  readonly isWhole: boolean
}

/**
 * Verifies who wrote each batch in a segment file of a chain of distributed trust, given its bytes and no key. The ids of keys
 * commit to them: whoever knows whose a key is compares the id. BAD_FORMAT, BAD_SIGNATURE, NOT_SUPPORTED (the chain's trust is
 * local).
 */
export async function verifyAuthors(segment: Uint8Array): Promise<VerifiedBatch[]> {
  const batches: VerifiedBatch[] = []
  for await (const { chainId, digest, signers, ...batch } of authorsOf(nativeCrypto, segment))
    batches.push({ ...batch, chainId: toHex(chainId), digest: toHex(digest), signers: signers.map(keyIdOf) })
  return batches
}
