/** What makes frames smaller; given from outside, since a platform has it or not. Each frame stands alone. */
export interface Compression {
  readonly id: number
  compress(bytes: Uint8Array): Uint8Array
  /** Exactly `length` bytes, or undefined. Never makes more than that, whatever it is given. */
  decompress(bytes: Uint8Array, length: number): Uint8Array | undefined
}

export const COMPRESSION_NONE = 0
export const COMPRESSION_DEFLATE = 1
