const LONE_SURROGATE = /\p{Surrogate}/u

/** False for a text with half a surrogate pair: UTF-8 has no bytes for it, and different ones would become the same. */
export function isUnicode(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}
