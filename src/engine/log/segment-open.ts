/** Opens a listed segment for reading its frames: header verified, scanner ready. */
import { copyOf } from '../bytes/copy.js'
import { equalBytes } from '../bytes/equal.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { isAteError } from '../error.js'
import { SEGMENT_SALT_BYTES } from './format/frame-head.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from './format/segment-header.js'
import { segmentName } from './format/segment-name.js'
import { SegmentScanner } from './segment-scanner.js'
import type { LogStorage, SegmentFile } from './storage.js'
import type { Finding } from './types.js'

export interface OpenSegment {
  file: SegmentFile
  scanner: SegmentScanner
  /** Undefined when it does not verify. */
  header: SegmentHeader | undefined
  /** Of its frames. */
  salt: Uint8Array
  findings: Finding[]
}

export interface SegmentSource {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
}

/**
 * The caller closes `file`; so many bytes are read at once. With a header that does not verify, the salt is taken from the first frame, so that the rest
 * can still be read. Throws INPUT_OUTPUT when the file is missing, UNSUPPORTED_FORMAT for a newer one.
 */
export async function openSegment(
  source: SegmentSource,
  entry: SegmentEntry,
  mode: 'read' | 'append' = 'read',
  windowBytes?: number,
): Promise<OpenSegment> {
  const file = await source.storage.openSegment(segmentName(entry.number), mode)
  try {
    const findings: Finding[] = []
    const report = (message: string): unknown => findings.push({ kind: 'segment', message, segment: entry.number })
    const size = await file.size()
    const length = entry.closing?.length ?? size
    // Before anything is read: what is in the page cache counts as data.
    const dataEnd = entry.closing === undefined ? await file.dataEnd() : length
    if (size < length) report(`the segment has ${size} bytes where ${length} belong`)
    const bytes = await file.read(0, SEGMENT_HEADER_BYTES + SEGMENT_SALT_BYTES)
    let header: SegmentHeader | undefined
    try {
      header = decodeHeader(source, entry, bytes)
    } catch (error) {
      if (!isAteError(error) || error.code !== 'BAD_FORMAT') throw error
      report(error.message)
    }
    const salt = header?.salt ?? copyOf(bytes.subarray(SEGMENT_HEADER_BYTES))
    const scanner = new SegmentScanner(source.crypto, file, salt, Math.min(size, length), dataEnd, windowBytes)
    return { file, scanner, header, salt, findings }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** What contradicts the chain in a verified header: half a sentence, or undefined. */
export function checkHeader(header: SegmentHeader, entry: SegmentEntry, previous: Uint8Array): string | undefined {
  // 0: there is no manifest to compare with.
  if (entry.firstSequence !== 0 && header.firstSequence !== entry.firstSequence)
    return 'the segment begins with another sequence than the manifest says'
  if (!equalBytes(header.previous, previous)) return 'the segment does not link to the one before it'
  return undefined
}

function decodeHeader({ crypto, keys }: SegmentSource, entry: SegmentEntry, bytes: Uint8Array): SegmentHeader {
  return decodeSegmentHeader(
    crypto,
    keys.manifestKey,
    keys.chainId,
    entry.number,
    bytes.subarray(0, SEGMENT_HEADER_BYTES),
  )
}
