/** Where a batch stands in its chain, by its own word: nothing of it is verified. */
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { linkDigest } from '../engine/log/format/link.js'
import type { BatchBytes, LogEnd } from '../engine/log/index.js'
import { decodeBatch } from '../engine/log/received-batch.js'

/** BATCH_REFUSED, UNSUPPORTED_FORMAT. */
export function linkEnd(crypto: CryptoProvider, batch: BatchBytes): LogEnd {
  const { link, linkBytes } = decodeBatch(batch)
  return { sequence: link.sequence, digest: linkDigest(crypto, linkBytes) }
}
