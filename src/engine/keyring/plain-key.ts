/**
 * Bytes of the file `key` of a chain without a passphrase (`--no-auth`): the root key in clear. Whoever can read the
 * file can read the chain; it exists so that one format serves chains with and without a passphrase.
 *
 *     magic "atefspk\n" 8 | version 2 | suite 2 | chain id 16 | root key 32 | CRC-32 of all before it 4
 */
import { ByteWriter } from '../bytes/byte-writer.js'
import { fromLatin1 } from '../bytes/latin1.js'
import { CHAIN_ID_BYTES, ROOT_KEY_BYTES } from '../crypto/chain-keys.js'
import { crc32 } from '../crypto/crc32.js'
import { parseAeadSuite, type AeadSuite } from '../crypto/suites.js'
import { AteError, errorCode } from '../error.js'
import { CRC_BYTES, readFileHead } from './file-head.js'

const MAGIC = fromLatin1('atefspk\n')
const VERSION = 1

export const PLAIN_KEY_BYTES = MAGIC.length + 2 + 2 + CHAIN_ID_BYTES + ROOT_KEY_BYTES + CRC_BYTES

export interface PlainKey {
  /** 32 bytes; the caller's to wipe. */
  readonly rootKey: Uint8Array
  /** 16 bytes. */
  readonly chainId: Uint8Array
  readonly suite: AeadSuite
}

export function encodePlainKey(key: PlainKey): Uint8Array {
  const writer = new ByteWriter(PLAIN_KEY_BYTES)
  writer.bytes(MAGIC).u16(VERSION).u16(key.suite).bytes(key.chainId).bytes(key.rootKey)
  return writer.u32(crc32(writer.view())).copy()
}

/** KEYRING_DAMAGED when the bytes are no key file, UNSUPPORTED_FORMAT for a newer one. The result owns its bytes. */
export function decodePlainKey(file: Uint8Array): PlainKey {
  try {
    return parse(file)
  } catch (cause) {
    if (errorCode(cause) !== 'BAD_FORMAT') throw cause
    const message = cause instanceof Error ? cause.message : ''
    throw new AteError('KEYRING_DAMAGED', `The key file is damaged: ${message}`, {
      hint: 'Put back a copy of the file key.',
      cause,
    })
  }
}

function parse(file: Uint8Array): PlainKey {
  const reader = readFileHead(file, 'key file', MAGIC, VERSION)
  const suite = parseAeadSuite(reader.u16('suite'))
  const chainId = reader.copy(CHAIN_ID_BYTES, 'chain id')
  const rootKey = reader.copy(ROOT_KEY_BYTES, 'root key')
  reader.u32('checksum')
  reader.done()
  return { rootKey, chainId, suite }
}
