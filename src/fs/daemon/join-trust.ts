/** A mount of a chain of distributed trust signs what it commits, and judges what comes from others. */
import type { ChainHandle } from '../../adapters/node/chain-handle.js'
import { nativeCrypto } from '../../adapters/node/native-crypto.js'
import { publicKeyId, signingKeyFromSeed } from '../../engine/crypto/signature.js'
import { judgeReceived } from '../vfs/judge-files.js'

/**
 * Ids of the keys that may write a file system that is made; undefined where nothing is signed. The key is the one that whoever has
 * the chain's key derives from it: until there are accounts it is all that tells who may write.
 */
export function joinTrust({ trust, keys, view }: ChainHandle): readonly Uint8Array[] | undefined {
  if (trust !== 'distributed') return undefined
  const key = signingKeyFromSeed(keys.writerSeed)
  view.trustWith?.({ signers: [key], judge: (run) => judgeReceived(nativeCrypto, run, view) })
  return [publicKeyId(nativeCrypto, key.suite, key.publicKey)]
}
