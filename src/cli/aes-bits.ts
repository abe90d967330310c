/** Bits of AES keys, as command lines name them. */
export const AES_BITS_WORDS = ['128', '192', '256'] as const

export type AesBitsWord = (typeof AES_BITS_WORDS)[number]

export const AES_BITS = { 128: 128, 192: 192, 256: 256 } as const
