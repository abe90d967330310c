/** Cryptography that notes each (key, nonce) it seals with. */
import { toHex } from '../../src/engine/bytes/hex.js'
import type { CryptoProvider } from '../../src/engine/crypto/provider.js'

export class SealRecorder {
  readonly seals: string[] = []
  readonly crypto: CryptoProvider

  constructor(crypto: CryptoProvider) {
    this.crypto = {
      ...crypto,
      seal: (key, nonce, ...rest) => {
        this.seals.push(`${toHex(key)} ${toHex(nonce)}`)
        return crypto.seal(key, nonce, ...rest)
      },
    }
  }

  get keyCount(): number {
    return new Set(this.seals.map((seal) => seal.split(' ')[0])).size
  }

  get repeated(): number {
    return this.seals.length - new Set(this.seals).size
  }
}
