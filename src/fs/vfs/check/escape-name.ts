/** File names for people: names are bytes and may hold anything, messages are text on somebody's terminal. */
import { fromLatin1 } from '../../../engine/bytes/latin1.js'

const decoder = new TextDecoder('utf-8', { fatal: true })
/** Controls, separators and invisible marks would change what a terminal shows. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\\]/u

/** The name as text if it is printable UTF-8; else with `\xNN` for every byte that is not printable ASCII. */
export function escapeName(name: string): string {
  try {
    const text = decoder.decode(fromLatin1(name))
    if (!UNPRINTABLE.test(text)) return text
  } catch {
    // Not UTF-8.
  }
  let escaped = ''
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    const isPlain = code >= 0x20 && code < 0x7f && code !== 0x5c
    escaped += isPlain ? name.charAt(i) : `\\x${code.toString(16).padStart(2, '0')}`
  }
  return escaped
}
