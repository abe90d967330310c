/** What can be known of a chain without its keys. Nothing here is authenticated: it only says which keys to derive. */
import { crc32 } from '../crypto/crc32.js'
import { parseAeadSuite, type AeadSuite } from '../crypto/suites.js'
import { AteError, errorCode } from '../error.js'
import { MAX_MANIFEST_BYTES } from '../limits.js'
import type { FormatHeader } from './format/feature-flags.js'
import { decodeManifest } from './format/manifest-format.js'
import { MANIFEST_NAME, segmentNumberOf } from './format/segment-name.js'
import type { LogStorage } from './storage.js'

export interface ChainDescription {
  chainId: Uint8Array
  suite: AeadSuite
  format: FormatHeader
  createdMs: number
}

/**
 * NOT_A_CHAIN when there is neither manifest nor segment, UNSUPPORTED_FORMAT for a newer one, CHAIN_DAMAGED for one that is
 * missing or does not parse.
 */
export async function describeChain(storage: Pick<LogStorage, 'readSmall' | 'list'>): Promise<ChainDescription> {
  try {
    const bytes = await storage.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if (bytes === undefined) throw new AteError('NOT_A_CHAIN', 'There is no manifest here: this is not a chain.')
    const { chainId, suite, format, createdMs } = decodeManifest({ crc32 }, bytes)
    return { chainId, suite: parseAeadSuite(suite), format, createdMs }
  } catch (error) {
    throw manifestDamage(error, await storage.list()) ?? error
  }
}

/** What the failure to read a manifest means for a storage with files of these names; undefined: it is no damage. */
export function manifestDamage(error: unknown, names: readonly string[]): AteError | undefined {
  const code = errorCode(error)
  const isMissing = code === 'NOT_A_CHAIN' && names.some((name) => segmentNumberOf(name) !== undefined)
  if (code !== 'BAD_FORMAT' && !isMissing) return undefined
  return new AteError('CHAIN_DAMAGED', `The manifest of this chain is ${isMissing ? 'missing' : 'damaged'}.`, {
    hint: 'Put back a copy of the file manifest.',
    cause: error,
  })
}
