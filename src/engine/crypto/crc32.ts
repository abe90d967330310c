/** CRC-32 of IEEE 802.3, reflected, as zlib computes it. */
const POLYNOMIAL = 0xedb88320

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** `seed` is the CRC of what came before. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let value = ~seed
  for (const byte of bytes) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] ?? 0)
  return ~value >>> 0
}
