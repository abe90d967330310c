/** What `atefs status` shows of a chain, without touching a medium. */
import { toHex } from '../../engine/bytes/hex.js'
import type { ChainView } from '../../engine/chain/chain-view.js'
import type { ChainKeys } from '../../engine/crypto/chain-keys.js'
import { aeadKeyBytes } from '../../engine/crypto/suites.js'
import type { ChainStatus, KeyBits } from './chain-handle.js'

const KEY_BITS = { 16: 128, 24: 192, 32: 256 } as const satisfies Record<number, KeyBits>

export function chainStatus(keys: ChainKeys, view: ChainView): ChainStatus {
  const { headSequence, headDigest, durableSequence, logBytes, indexBytes } = view.writerStatus
  const keyBits = KEY_BITS[aeadKeyBytes(keys.suite)]
  return {
    chainId: toHex(keys.chainId),
    suite: `aes-${keyBits}-gcm`,
    keyBits,
    logBytes,
    indexBytes,
    headSequence,
    headDigest: toHex(headDigest),
    durableSequence,
    durableAtMs: view.durableAtMs,
    pendingBytes: view.pendingBytes,
    inFlightBytes: view.inFlightBytes,
    failure: view.failure?.message,
  }
}
