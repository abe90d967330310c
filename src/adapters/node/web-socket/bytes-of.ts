/** What `ws` gives for a message, as plain bytes of the receiver's own. */
import type { RawData } from 'ws'

export function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return new Uint8Array(Buffer.concat(data))
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  return new Uint8Array(data.buffer, data.byteOffset, data.length)
}
