/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of a string of bytes, in 32-bit arithmetic: no BigInt and no allocation,
 * because every lookup of a name asks for it. A keyed hash, so that nobody without the key can choose names that
 * collide or recognise one by its hash.
 */
import { AteError } from '../error.js'

const LOW_21 = 0x1f_ffff
const TWO_32 = 0x1_0000_0000

/** The hash of the last call: two results without an object. Never read across calls. */
let hashLow = 0
let hashHigh = 0

/**
 * The low 53 bits of the hash. `text` has one byte per character (BAD_ARGUMENT above 255), `key` 16 bytes.
 */
export function sipHash53(key: Uint8Array, text: string): number {
  sipHash(key, text)
  return (hashHigh & LOW_21) * TWO_32 + hashLow
}

/** The whole hash as two unsigned words. */
export function sipHash64(key: Uint8Array, text: string): { low: number; high: number } {
  sipHash(key, text)
  return { low: hashLow, high: hashHigh }
}

/** v0..v3 of the paper as pairs of words, `a` to `d`, l and h. One loop: the message's words, then the finalization. */
function sipHash(key: Uint8Array, text: string): void {
  if (key.length !== 16) throw new AteError('BAD_ARGUMENT', `A SipHash key has 16 bytes, not ${key.length}.`)
  const k0l = wordAt(key, 0)
  const k0h = wordAt(key, 4)
  const k1l = wordAt(key, 8)
  const k1h = wordAt(key, 12)
  // The constants spell "somepseudorandomlygeneratedbytes" (section 2.1).
  let al = k0l ^ 0x70736575
  let ah = k0h ^ 0x736f6d65
  let bl = k1l ^ 0x6e646f6d
  let bh = k1h ^ 0x646f7261
  let cl = k0l ^ 0x6e657261
  let ch = k0h ^ 0x6c796765
  let dl = k1l ^ 0x79746573
  let dh = k1h ^ 0x74656462

  const length = text.length
  const words = (length >>> 3) + 1
  let seen = 0
  for (let word = 0; word <= words; word++) {
    let ml = 0
    let mh = 0
    let rounds = 2
    if (word === words) {
      cl ^= 0xff
      rounds = 4
    } else {
      // The last word holds what is left of the text and the length's low byte on top.
      const from = word << 3
      const until = Math.min(length - from, 8)
      for (let i = 0; i < until; i++) {
        const code = text.charCodeAt(from + i)
        seen |= code
        if (i < 4) ml |= code << (i << 3)
        else mh |= code << ((i - 4) << 3)
      }
      if (word === words - 1) mh |= length << 24
    }
    dl ^= ml
    dh ^= mh
    for (let round = 0; round < rounds; round++) {
      let sum = (al >>> 0) + (bl >>> 0)
      ah = (ah + bh + (sum >= TWO_32 ? 1 : 0)) | 0
      al = sum | 0
      let low = (bl << 13) | (bh >>> 19)
      bh = ((bh << 13) | (bl >>> 19)) ^ ah
      bl = low ^ al
      low = ah
      ah = al
      al = low
      sum = (cl >>> 0) + (dl >>> 0)
      ch = (ch + dh + (sum >= TWO_32 ? 1 : 0)) | 0
      cl = sum | 0
      low = (dl << 16) | (dh >>> 16)
      dh = ((dh << 16) | (dl >>> 16)) ^ ch
      dl = low ^ cl
      sum = (al >>> 0) + (dl >>> 0)
      ah = (ah + dh + (sum >= TWO_32 ? 1 : 0)) | 0
      al = sum | 0
      low = (dl << 21) | (dh >>> 11)
      dh = ((dh << 21) | (dl >>> 11)) ^ ah
      dl = low ^ al
      sum = (cl >>> 0) + (bl >>> 0)
      ch = (ch + bh + (sum >= TWO_32 ? 1 : 0)) | 0
      cl = sum | 0
      low = (bl << 17) | (bh >>> 15)
      bh = ((bh << 17) | (bl >>> 15)) ^ ch
      bl = low ^ cl
      low = ch
      ch = cl
      cl = low
    }
    al ^= ml
    ah ^= mh
  }
  if (seen > 0xff) throw new AteError('BAD_ARGUMENT', 'A name has characters above 255.')
  hashLow = (al ^ bl ^ cl ^ dl) >>> 0
  hashHigh = (ah ^ bh ^ ch ^ dh) >>> 0
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}
