/** A chain's name is also that of its directory: the rules are those of file names. */
import { AteError } from '../error.js'

const MAX_NAME_BYTES = 255

/** The name as given. Fails with BAD_ARGUMENT when it cannot be a file's name. */
export function checkChainName(name: string): string {
  const problem = problemOf(name)
  if (problem === undefined) return name
  throw new AteError('BAD_ARGUMENT', `the chain's name ${problem}`, {
    hint: 'Give it one that a file may have, for example: vault',
  })
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name === '.' || name === '..') return `cannot be '${name}'`
  if (name.includes('/')) return "must not contain '/': the directory of chains is given with --log-path"
  if (/\p{Cc}/u.test(name)) return 'must not contain control characters'
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`
  return undefined
}
