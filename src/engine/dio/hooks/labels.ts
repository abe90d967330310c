/** Labels of objects: short texts that linters give them, stored beside the fields and found by. */
import { isUnicode } from '../../bytes/unicode.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { AteError } from '../../error.js'
import { MAX_LABELS, MAX_LABELS_BYTES } from '../../limits.js'
import { hashTexts } from '../numbers.js'

export type Labels = ReadonlyMap<string, string>

export const NO_LABELS: Labels = new Map()

const utf8 = new TextEncoder()

/** `labels` with what a linter says, in the order of their names. BAD_ARGUMENT for what is no text, or too much. */
export function withLabels(labels: Labels, given: Readonly<Record<string, unknown>>): Labels {
  const all = new Map(labels)
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) all.delete(name)
    else if (typeof value === 'string' && isUnicode(name) && isUnicode(value)) all.set(name, value)
    else throw new AteError('BAD_ARGUMENT', `The label ${name} is no text, or no Unicode.`)
  }
  const entries = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  const bytes = entries.flat().reduce((sum, text) => sum + utf8.encode(text).length, 0)
  if (entries.length > MAX_LABELS || bytes > MAX_LABELS_BYTES)
    throw new AteError(
      'BAD_ARGUMENT',
      `An object has at most ${MAX_LABELS} labels of ${MAX_LABELS_BYTES} bytes in all.`,
    )
  return new Map(entries)
}

/** Where in the index of fields an object with the label is found. */
export function labelPlace(crypto: CryptoProvider, name: string, value: string): number {
  return hashTexts(crypto, 'atefs label', name, value)
}
