/**
 * Feature flags of the manifest and of segments, as in ext4: an unknown `compat` bit is ignored, an unknown `roCompat` bit
 * allows reading only, an unknown `incompat` bit refuses. Version 1 knows no bit of any kind but MANIFEST_FEATURES, in a manifest.
 */
import type { ByteReader } from '../../bytes/byte-reader.js'
import type { ByteWriter } from '../../bytes/byte-writer.js'
import { AteError } from '../../error.js'
import { FORMAT_VERSION } from '../../limits.js'
import type { ChainTrust } from '../types.js'

export const MAGIC_BYTES = 8
const KNOWN_RO_COMPAT = 0
/** Incompatible: bytes of bodies that a drop names may be gone. Bit 0 stays free: it stands for whatever is unknown. */
export const FEATURE_DROPS = 2
/** Incompatible: batches carry proofs and are judged by them (distributed trust). Set when the chain is made, or never. */
export const FEATURE_PROOFS = 4
/** Incompatible: records up to a batch that the manifest names may be gone. */
export const FEATURE_FORGETS = 8
export const MANIFEST_FEATURES = FEATURE_DROPS | FEATURE_PROOFS | FEATURE_FORGETS

export interface FormatHeader {
  formatVersion: number
  compat: number
  roCompat: number
  incompat: number
}

/** What this program writes. */
export const CURRENT_FORMAT: FormatHeader = { formatVersion: FORMAT_VERSION, compat: 0, roCompat: 0, incompat: 0 }

/** Of a log whose manifest cannot be read: it may use whatever this program knows. */
export const FORMAT_FOUND: FormatHeader = { ...CURRENT_FORMAT, incompat: FEATURE_DROPS }

export function writeFormatHeader(writer: ByteWriter, magic: string, header: FormatHeader): void {
  writer.latin1(magic).u32(header.formatVersion).u32(header.compat).u32(header.roCompat).u32(header.incompat)
}

/**
 * Throws BAD_FORMAT without the magic, UNSUPPORTED_FORMAT for a newer version or an incompatible feature that is none of
 * `knownIncompat`.
 */
export function readFormatHeader(reader: ByteReader, magic: string, what: string, knownIncompat = 0): FormatHeader {
  if (reader.latin1(MAGIC_BYTES, 'magic') !== magic) throw reader.bad('magic', 'is not there', 0)
  const header: FormatHeader = {
    formatVersion: reader.u32('format version'),
    compat: reader.u32('compatible features'),
    roCompat: reader.u32('read-only compatible features'),
    incompat: reader.u32('incompatible features'),
  }
  if (header.formatVersion !== FORMAT_VERSION) {
    throw unsupported(`The ${what} has format ${header.formatVersion}; this program knows ${FORMAT_VERSION}.`)
  }
  const unknown = unknownBits(header.incompat, knownIncompat)
  if (unknown !== 0) throw unsupported(`The ${what} uses features unknown to this program (0x${unknown.toString(16)}).`)
  return header
}

export function trustOf({ incompat }: FormatHeader): ChainTrust {
  return (incompat & FEATURE_PROOFS) === 0 ? 'local' : 'distributed'
}

/** True when a feature allows this program to read but not to write. */
export function isReadOnlyFormat(header: FormatHeader): boolean {
  return unknownBits(header.roCompat, KNOWN_RO_COMPAT) !== 0
}

function unknownBits(flags: number, known: number): number {
  return (flags & ~known) >>> 0
}

function unsupported(message: string): AteError {
  return new AteError('UNSUPPORTED_FORMAT', message, { hint: 'Use the newer atefs that wrote it.' })
}
