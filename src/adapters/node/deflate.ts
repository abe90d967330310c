/** DEFLATE by zlib, for frames of at most 1 MiB: at its fastest level, some 10 us for each KiB. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type Compression, COMPRESSION_DEFLATE } from '../../wire/index.js'

export const deflate: Compression = {
  id: COMPRESSION_DEFLATE,

  compress(bytes) {
    return deflateRawSync(bytes, { level: 1 })
  },

  decompress(bytes, length) {
    try {
      // zlib wants room for one byte at least.
      const inflated = inflateRawSync(bytes, { maxOutputLength: Math.max(length, 1) })
      return inflated.length === length ? inflated : undefined
    } catch {
      return undefined
    }
  },
}
