/** The thread of `VerifyingThread`: answers each request with whether the signature is right, in order. */
import { parentPort } from 'node:worker_threads'
import { verify } from '../engine/crypto/signature.js'
import type { VerifyRequest } from './verifying-thread.js'

parentPort?.on('message', ({ suite, publicKey, purpose, digest, signature }: VerifyRequest) => {
  parentPort?.postMessage(verify(suite, publicKey, purpose, digest, signature))
})
