/** The thread of `SigningThread`: has the identity key, and answers each request with a signature, in order. */
import { parentPort, workerData } from 'node:worker_threads'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { sign, signingKeyFromSeed } from '../engine/crypto/signature.js'
import { wipe } from '../engine/crypto/wipe.js'

const seed: unknown = workerData

if (seed instanceof Uint8Array) {
  const key = signingKeyFromSeed(seed)
  wipe(seed)
  parentPort?.on('message', ({ purpose, digest }: { purpose: Uint8Array; digest: Uint8Array }) => {
    parentPort?.postMessage(sign(nativeCrypto, key, purpose, digest))
  })
}
