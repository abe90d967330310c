// The command line of `npm run bench:engine`.
import { parseArgs } from 'node:util'
import { CONTENDERS, contenderOf } from './contenders/all.js'
import type { Contender } from './contender.js'

const ALL_OBJECTS = '1000,100000,1000000'
const ALL_PARTS = 'append,load,open'

export const USAGE = `npm run bench:engine -- [options]        (root, Linux)

  --objects a,b     sizes of the stores that are opened and loaded from (${ALL_OBJECTS})
  --only a,b        only these parts: ${ALL_PARTS}
  --contenders a;b  only these: ${CONTENDERS.map(({ name }) => name).join(';')}
  --batches a,b     objects in a commit (1,100,1000)
  --callers a,b     who wait for durable commits at the same time, beside one alone (4)
  --rounds N        rounds of what has a target (5; unpinned at most 3); the rest has one
  --seconds N       how long appends are timed in each round (2)
  --pinned          only with each process on one core
  --unpinned        only with all cores
  --core N          the core to pin to (the last one)
  --image-gib N     size of the ext4 image (16)
  --dir DIR         where the image is made (the temporary directory)
  --profile DIR     write CPU profiles of the processes to DIR
  --out FILE        write the report there (a full run: bench/engine.md; else only the terminal)
`

export type Mode = 'pinned' | 'unpinned'

export interface Arguments {
  readonly contenders: readonly Contender[]
  readonly objects: readonly number[]
  readonly batches: readonly number[]
  readonly callers: readonly number[]
  readonly parts: ReadonlySet<string>
  readonly rounds: number
  readonly seconds: number
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
      objects: { type: 'string', default: ALL_OBJECTS },
      only: { type: 'string', default: ALL_PARTS },
      contenders: { type: 'string' },
      batches: { type: 'string', default: '1,100,1000' },
      callers: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      pinned: { type: 'boolean', default: false },
      unpinned: { type: 'boolean', default: false },
      core: { type: 'string', default: String(cores - 1) },
      'image-gib': { type: 'string', default: '16' },
      dir: { type: 'string' },
      profile: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const isFull =
    values.objects === ALL_OBJECTS && values.only === ALL_PARTS && values.contenders === undefined && !values.unpinned
  return {
    contenders: values.contenders?.split(';').map(contenderOf) ?? CONTENDERS,
    objects: numbers('--objects', values.objects),
    batches: numbers('--batches', values.batches),
    callers: numbers('--callers', values.callers),
    parts: new Set(values.only.split(',')),
    rounds: number('--rounds', values.rounds),
    seconds: number('--seconds', values.seconds),
    modes: values.pinned === values.unpinned ? ['pinned', 'unpinned'] : [values.pinned ? 'pinned' : 'unpinned'],
    core: number('--core', values.core),
    imageGib: number('--image-gib', values['image-gib']),
    dir: values.dir,
    profileDir: values.profile,
    out: values.out ?? (isFull ? 'bench/engine.md' : undefined),
  }
}

function numbers(flag: string, text: string): number[] {
  return text.split(',').map((one) => number(flag, one))
}

function number(flag: string, text: string): number {
  const value = Number(text)
  if (!(value >= 0) || text === '') throw new Error(`${flag}: not a number: ${text}\n\n${USAGE}`)
  return value
}
