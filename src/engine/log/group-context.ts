/**
 * What a group's seal authenticates beside its ciphertext: label, suite, chain id and the group's header. Kept as one
 * buffer that is filled per group, so that sealing and opening allocate nothing for it.
 */
import type { ChainKeys } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import { GROUP_HEADER_BYTES } from './format/group-header.js'

export class GroupContext {
  /** The whole: changes with `header`. */
  readonly aad: Uint8Array
  /** The part of `aad` to fill with the group's header. */
  readonly header: Uint8Array

  constructor(keys: Pick<ChainKeys, 'suite' | 'chainId'>) {
    const suiteAt = LABELS.group.length
    const headerAt = suiteAt + 2 + keys.chainId.length
    this.aad = new Uint8Array(headerAt + GROUP_HEADER_BYTES)
    this.aad.set(LABELS.group)
    this.aad[suiteAt] = keys.suite & 0xff
    this.aad[suiteAt + 1] = keys.suite >>> 8
    this.aad.set(keys.chainId, suiteAt + 2)
    this.header = this.aad.subarray(headerAt)
  }
}
