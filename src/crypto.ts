/**
 * What a program needs of cryptography beside its chains: hashes, seals, signatures, boxes, keys and their spellings. In pure
 * JavaScript, the same in Node and in browsers. Every function stands for itself: a bundle has only what is used.
 */
export { BoxKey, sealFor } from './crypto/box-key.js'
export { SigningKey, verify } from './crypto/signing-key.js'
export { generateKey, keyFromPassphrase, seal, unseal } from './crypto/secret-key.js'
export { randomBytes } from './crypto/random-bytes.js'
export { fromBase64url, toBase64url } from './engine/bytes/base64url.js'
export { fromHex, toHex } from './engine/bytes/hex.js'
export { isEqual } from './engine/crypto/constant-time.js'
export { hkdfSha256, hmacSha256, sha256 } from './engine/crypto/noble-hashes.js'
export { AteError, type AteErrorDetail, type ErrorCode, errorCode, isAteError } from './engine/error.js'
