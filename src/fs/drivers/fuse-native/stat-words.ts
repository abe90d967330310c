/** Attributes as fuse-native takes them: 18 words of 32 bits (populate_stat in its fuse-native.c). */
import type { Attributes } from '../../vfs/types.js'

export type StatWords = Uint32Array

const WORD = 2 ** 32
const PREFERRED_IO_BYTES = 4096

export function statWords(attributes: Attributes, nlink: number): StatWords {
  const words = new Uint32Array(18)
  words[0] = attributes.mode
  words[1] = attributes.uid
  words[2] = attributes.gid
  setWide(words, 3, attributes.size)
  words[6] = nlink
  words[7] = shownIno(attributes.ino)
  words[8] = attributes.rdev
  words[9] = PREFERRED_IO_BYTES
  setWide(words, 10, attributes.blocks)
  setWide(words, 12, milliseconds(attributes.atimeSec, attributes.atimeNsec))
  setWide(words, 14, milliseconds(attributes.mtimeSec, attributes.mtimeNsec))
  setWide(words, 16, milliseconds(attributes.ctimeSec, attributes.ctimeNsec))
  return words
}

/** Inode numbers have 32 bits here, and 0 is none. */
export function shownIno(ino: number): number {
  return ino % WORD || 1
}

/** There is nothing before 1970: the package divides without a sign. */
function milliseconds(sec: number, nsec: number): number {
  return Math.max(0, sec * 1000 + Math.floor(nsec / 1_000_000))
}

function setWide(words: Uint32Array, at: number, value: number): void {
  words[at] = value % WORD
  words[at + 1] = Math.floor(value / WORD)
}
