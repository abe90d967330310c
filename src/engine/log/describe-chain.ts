/** What can be known of a chain without its keys. Nothing here is authenticated: it only says which keys to derive. */
import { crc32 } from '../crypto/crc32.js'
import { parseAeadSuite, type AeadSuite } from '../crypto/suites.js'
import { AteError, errorCode } from '../error.js'
import { MAX_MANIFEST_BYTES } from '../limits.js'
import type { FormatHeader } from './format/feature-flags.js'
import { decodeManifest } from './format/manifest-format.js'
import { MANIFEST_NAME } from './format/segment-name.js'
import type { LogStorage } from './storage.js'

export interface ChainDescription {
  chainId: Uint8Array
  suite: AeadSuite
  format: FormatHeader
  createdMs: number
}

/** NOT_A_CHAIN when there is no manifest, UNSUPPORTED_FORMAT for a newer one, CHAIN_DAMAGED for one that does not parse. */
export async function describeChain(storage: Pick<LogStorage, 'readSmall'>): Promise<ChainDescription> {
  try {
    const bytes = await storage.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if (bytes === undefined) throw new AteError('NOT_A_CHAIN', 'There is no manifest here: this is not a chain.')
    const { chainId, suite, format, createdMs } = decodeManifest({ crc32 }, bytes)
    return { chainId, suite: parseAeadSuite(suite), format, createdMs }
  } catch (error) {
    if (errorCode(error) !== 'BAD_FORMAT') throw error
    throw manifestDamaged(error)
  }
}

/** Without it a log cannot be mounted, whatever is allowed: which segments there are stands nowhere else. */
export function manifestDamaged(cause: unknown): AteError {
  return new AteError('CHAIN_DAMAGED', 'The manifest of this chain is damaged.', {
    hint: 'Put back a copy of the file manifest. atefs fsck tells what else is damaged.',
    cause,
  })
}
