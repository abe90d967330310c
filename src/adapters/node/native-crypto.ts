/** The CryptoProvider of a Node process: its own OpenSSL called directly where it can be, node:crypto for the rest. */
import type { CryptoProvider } from '../../engine/crypto/provider.js'
import { nodeCrypto } from './node-crypto.js'
import { opensslCrypto } from './openssl-crypto.js'

export const nativeCrypto: CryptoProvider = { ...nodeCrypto, ...opensslCrypto() }
