// Starts the process of a contender, on one core or on all.
import { fileURLToPath } from 'node:url'
import { run } from '../lib/command.js'
import type { Job, ResultOf } from './job.js'

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url))
const TIMEOUT_MS = 900_000

export interface Launch {
  /** Undefined: all cores. */
  readonly core: number | undefined
  readonly profileDir: string | undefined
}

export async function perform<J extends Job>({ core, profileDir }: Launch, job: J): Promise<ResultOf<J>> {
  const pin = core === undefined ? [] : ['taskset', '-c', String(core)]
  const name = [job.contender.replaceAll(/\W+/g, '-'), job.kind, 'batch' in job ? `${job.durability}-${job.batch}` : '']
  const profile =
    profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', `${profileDir}/${name.join('-')}-${Date.now()}`]
  const [program, ...args] = [...pin, process.execPath, ...profile, WORKER, JSON.stringify(job)]
  // The worker answers the kind of job it was given.
  return JSON.parse(await run(program, args, { timeoutMs: TIMEOUT_MS })) as ResultOf<J>
}
