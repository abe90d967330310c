/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of a string of bytes, in 32-bit arithmetic: no BigInt and no allocation,
 * because every lookup of a name asks for it (0.2 us for 20 bytes). A keyed hash, so that nobody without the key can
 * choose names that collide or recognise one by its hash.
 */
import { AteError } from '../error.js'

const LOW_21 = 0x1f_ffff
const TWO_32 = 0x1_0000_0000

/** v0 to v3 of the paper, low word first. Shared by all calls: each runs to its end before the next begins. */
const state = new Int32Array(8)
/** The word of the message at hand. */
let wordLow = 0
let wordHigh = 0

/** The low 53 bits of the hash. `text` has one byte per character (BAD_ARGUMENT above 255), `key` 16 bytes. */
export function sipHash53(key: Uint8Array, text: string): number {
  absorb(key, text)
  return (high() & LOW_21) * TWO_32 + (low() >>> 0)
}

/** The whole hash as two unsigned words. */
export function sipHash64(key: Uint8Array, text: string): { low: number; high: number } {
  absorb(key, text)
  return { low: low() >>> 0, high: high() >>> 0 }
}

function absorb(key: Uint8Array, text: string): void {
  start(key)
  const length = text.length
  let seen = 0
  // The last word, which may hold nothing else, has the length's low byte on top.
  for (let from = 0; from <= length; from += 8) {
    const left = length - from
    seen |= loadWord(text, from, left < 8 ? left : 8)
    if (left < 8) wordHigh |= length << 24
    state[6] = part(6) ^ wordLow
    state[7] = part(7) ^ wordHigh
    mix(2)
    state[0] = part(0) ^ wordLow
    state[1] = part(1) ^ wordHigh
  }
  if (seen > 0xff) throw new AteError('BAD_ARGUMENT', 'A name has characters above 255.')
  state[4] = part(4) ^ 0xff
  mix(4)
}

function start(key: Uint8Array): void {
  if (key.length !== 16) throw new AteError('BAD_ARGUMENT', `A SipHash key has 16 bytes, not ${key.length}.`)
  const k0l = keyWord(key, 0)
  const k0h = keyWord(key, 4)
  const k1l = keyWord(key, 8)
  const k1h = keyWord(key, 12)
  // The constants of section 2.1 spell "somepseudorandomlygeneratedbytes".
  state[0] = k0l ^ 0x70736575
  state[1] = k0h ^ 0x736f6d65
  state[2] = k1l ^ 0x6e646f6d
  state[3] = k1h ^ 0x646f7261
  state[4] = k0l ^ 0x6e657261
  state[5] = k0h ^ 0x6c796765
  state[6] = k1l ^ 0x79746573
  state[7] = k1h ^ 0x74656462
}

/** Sets the word to `count` characters; returns all their codes or-ed. */
function loadWord(text: string, from: number, count: number): number {
  let low = 0
  let high = 0
  let seen = 0
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(from + i)
    seen |= code
    if (i < 4) low |= code << (i << 3)
    else high |= code << ((i - 4) << 3)
  }
  wordLow = low
  wordHigh = high
  return seen
}

/** SipRounds (figure 2.1). A 64-bit addition carries when the sum of the low words, taken as a double, passes 2^32. */
function mix(rounds: number): void {
  let [al, ah, bl, bh, cl, ch, dl, dh] = [part(0), part(1), part(2), part(3), part(4), part(5), part(6), part(7)]
  for (let round = 0; round < rounds; round++) {
    let sum = (al >>> 0) + (bl >>> 0)
    ah = (ah + bh + (sum >= TWO_32 ? 1 : 0)) | 0
    al = sum | 0
    let old = (bl << 13) | (bh >>> 19)
    bh = ((bh << 13) | (bl >>> 19)) ^ ah
    bl = old ^ al
    old = ah
    ah = al
    al = old
    sum = (cl >>> 0) + (dl >>> 0)
    ch = (ch + dh + (sum >= TWO_32 ? 1 : 0)) | 0
    cl = sum | 0
    old = (dl << 16) | (dh >>> 16)
    dh = ((dh << 16) | (dl >>> 16)) ^ ch
    dl = old ^ cl
    sum = (al >>> 0) + (dl >>> 0)
    ah = (ah + dh + (sum >= TWO_32 ? 1 : 0)) | 0
    al = sum | 0
    old = (dl << 21) | (dh >>> 11)
    dh = ((dh << 21) | (dl >>> 11)) ^ ah
    dl = old ^ al
    sum = (cl >>> 0) + (bl >>> 0)
    ch = (ch + bh + (sum >= TWO_32 ? 1 : 0)) | 0
    cl = sum | 0
    old = (bl << 17) | (bh >>> 15)
    bh = ((bh << 17) | (bl >>> 15)) ^ ch
    bl = old ^ cl
    old = ch
    ch = cl
    cl = old
  }
  state[0] = al
  state[1] = ah
  state[2] = bl
  state[3] = bh
  state[4] = cl
  state[5] = ch
  state[6] = dl
  state[7] = dh
}

function low(): number {
  return part(0) ^ part(2) ^ part(4) ^ part(6)
}

function high(): number {
  return part(1) ^ part(3) ^ part(5) ^ part(7)
}

/** The index is always below 8; the fallback satisfies the type. */
function part(index: number): number {
  return state[index] ?? 0
}

function keyWord(key: Uint8Array, at: number): number {
  return (key[at] ?? 0) | ((key[at + 1] ?? 0) << 8) | ((key[at + 2] ?? 0) << 16) | ((key[at + 3] ?? 0) << 24)
}
