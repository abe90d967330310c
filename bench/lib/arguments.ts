// The command line of `npm run bench`.
import { parseArgs } from 'node:util'
import { ROWS, type Row } from './rows.js'
import { SYSTEMS } from './systems.js'

export const USAGE = `npm run bench -- [options]        (root, Linux; installs gocryptfs, securefs and cryfs with apt)

  --rows a,b        only these rows: ${ROWS.map((row) => row.id).join(' ')}
  --systems a,b     only these: ${SYSTEMS.map((system) => system.name).join(' ')} (bench:remote: atefs remote sync sshfs)
  --rounds N        rounds of each row (5; unpinned at most 3)
  --pinned          only with daemon and load on one core
  --unpinned        only with all cores
  --core N          the core to pin to (the last one)
  --image-gib N     size of the ext4 image (16)
  --dir DIR         where the image is made (the temporary directory)
  --profile DIR     write CPU profiles of the atefs daemons to DIR
  --out FILE        write the report there (a full run: bench/results.md; else only the terminal)
`

/** The targets are for pinned runs: unpinned ones are background, and noisier than any number of rounds would mend. */
export const MAX_UNPINNED_ROUNDS = 3

export type Mode = 'pinned' | 'unpinned'

export interface Arguments {
  readonly rows: readonly Row[]
  /** Undefined: all that there are. */
  readonly systems: readonly string[] | undefined
  readonly rounds: number
  readonly modes: readonly Mode[]
  readonly core: number
  readonly imageGib: number
  readonly dir: string | undefined
  readonly profileDir: string | undefined
  readonly out: string | undefined
}

export function parseArguments(argv: readonly string[], cores: number): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rows: { type: 'string' },
      systems: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      pinned: { type: 'boolean', default: false },
      unpinned: { type: 'boolean', default: false },
      core: { type: 'string', default: String(cores - 1) },
      'image-gib': { type: 'string', default: '16' },
      dir: { type: 'string' },
      profile: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const isFull = values.rows === undefined && values.systems === undefined && values.pinned === values.unpinned
  return {
    rows: pick('row', ROWS, values.rows?.split(','), (row) => row.id),
    systems: values.systems?.split(','),
    rounds: integer('--rounds', values.rounds, 1),
    modes: values.pinned === values.unpinned ? ['pinned', 'unpinned'] : [values.pinned ? 'pinned' : 'unpinned'],
    core: integer('--core', values.core, 0),
    imageGib: integer('--image-gib', values['image-gib'], 2),
    dir: values.dir,
    profileDir: values.profile,
    out: values.out ?? (isFull ? 'bench/results.md' : undefined),
  }
}

/** Those of `all` with these names, all without. */
export function pick<T>(
  kind: string,
  all: readonly T[],
  names: readonly string[] | undefined,
  nameOf: (item: T) => string,
): readonly T[] {
  if (names === undefined) return all
  return names.map((name) => {
    const found = all.find((item) => nameOf(item) === name)
    if (found === undefined) throw new Error(`unknown ${kind} ${name}\n\n${USAGE}`)
    return found
  })
}

function integer(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`${flag}: not a whole number from ${least}: ${text}`)
  return value
}
