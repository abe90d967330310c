/** Compression of what objects hold: raw DEFLATE (RFC 1951) by the zlib inside Node, which bounds what it makes of a bomb. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Plugin } from '../engine/dio/plugin.js'

/** Fields below it gain nothing. */
const MIN_BYTES = 128
/** What a compressed object has more in its record. */
const COST_BYTES = 16
/** Nearly as small as the default, in half the time. */
const LEVEL = 3

/**
 * Fields are stored compressed where that makes them smaller. How small they become says something of what is in them, to
 * whoever sees the size of the log: see docs/security.md before mixing secrets with what others may choose.
 */
export function compression(): Plugin {
  return {
    name: 'compression',
    transformers: [
      {
        id: 'deflate',
        encode: (bytes) => {
          if (bytes.length < MIN_BYTES) return undefined
          const packed = deflateRawSync(bytes, { level: LEVEL })
          return packed.length + COST_BYTES < bytes.length ? packed : undefined
        },
        decode: (bytes, maxBytes) => inflateRawSync(bytes, { maxOutputLength: Math.max(1, maxBytes) }),
      },
    ],
  }
}
