/** Short names are what most texts are, and looking at their bytes takes less than asking a decoder does. */
const SHORT_BYTES = 24

/** ASCII of at most 24 bytes, which is UTF-8 as it is. */
export function isShortAscii(bytes: Uint8Array): boolean {
  if (bytes.length > SHORT_BYTES) return false
  for (const byte of bytes) if (byte >= 0x80) return false
  return true
}
