/** `atedb [FLAGS] SUBCOMMAND [FLAGS]`: flags may stand before the word that says what to do, which oclif wants first. */
import type { Interfaces } from '@oclif/core'

export type AtedbArguments =
  | { readonly kind: 'solo'; readonly words: readonly string[] }
  /** Of the program, or of `solo`. */
  | { readonly kind: 'help'; readonly ofSolo: boolean }
  | { readonly kind: 'version' }
  /** There is no such word. Undefined: nothing was to be done. */
  | { readonly kind: 'wrong'; readonly word: string | undefined }

type Flags = Interfaces.FlagInput

/** `flags`: those of `solo`, which tell whose next word is a value. */
export function readAtedbArguments(words: readonly string[], flags: Flags): AtedbArguments {
  const at = commandAt(words, flags)
  const before = words.slice(0, at)
  const [command, ...after] = words.slice(at)
  const all = [...before, ...upToSeparator(after)]
  if (command === 'help') return helpOf(after)
  if (command !== undefined && command !== 'solo') return { kind: 'wrong', word: command }
  if (has(all, '-h', '--help', flags)) return { kind: 'help', ofSolo: command === 'solo' }
  if (has(all, '-V', '--version', flags)) return { kind: 'version' }
  if (command === undefined)
    return words.length === 0 ? { kind: 'help', ofSolo: false } : { kind: 'wrong', word: undefined }
  return { kind: 'solo', words: [...before, ...after] }
}

function helpOf([word]: readonly string[]): AtedbArguments {
  if (word !== undefined && !['solo', 'help'].includes(word)) return { kind: 'wrong', word }
  return { kind: 'help', ofSolo: word === 'solo' }
}

/** The place of the first word that is neither a flag nor its value. */
function commandAt(words: readonly string[], flags: Flags): number {
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') return at
    if (takesNext(word, flags)) at++
  }
  return Math.min(at, words.length)
}

/** True for a word that is no value and says it: `-h` alone. */
function has(words: readonly string[], short: string, long: string, flags: Flags): boolean {
  return words.some((word, at) => {
    const isValue = at > 0 && takesNext(words[at - 1] ?? '', flags)
    return !isValue && (word === short || word === long)
  })
}

function upToSeparator(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--')
  return end < 0 ? words : words.slice(0, end)
}

/** `--port`, `-p`, or `-vp`; not `--port=1` or `-p1`, which have their values with them. */
function takesNext(word: string, flags: Flags): boolean {
  if (word.startsWith('--')) {
    const name = word.slice(2)
    return Object.entries(flags).some(
      ([each, flag]) => flag.type === 'option' && (each === name || flag.aliases?.includes(name) === true),
    )
  }
  if (!word.startsWith('-')) return false
  const letters = Array.from(word.slice(1))
  const first = letters.findIndex((letter) =>
    Object.values(flags).some((flag) => flag.char === letter && flag.type === 'option'),
  )
  return first >= 0 && first === letters.length - 1
}
