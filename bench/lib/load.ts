// The load generator (load.c): compiled once per run, started on the cores it may use.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './command.js'

export interface Sample {
  readonly operations: number
  readonly ns: number
  readonly bytes: number
  /** CPU time of the load itself. */
  readonly loadNs: number
}

export type Argument = string | number

export class Load {
  private constructor(
    private readonly program: string,
    private readonly core: number | undefined,
  ) {}

  static async compile(scratch: string): Promise<string> {
    const program = join(scratch, 'load')
    await run('cc', ['-O2', '-o', program, fileURLToPath(new URL('../../bench/load.c', import.meta.url))])
    return program
  }

  static on(program: string, core: number | undefined): Load {
    return new Load(program, core)
  }

  /** Runs one command of load.c in `directory` and returns what it measured. */
  async run(directory: string, command: string, ...args: Argument[]): Promise<Sample> {
    const words = [this.program, directory, command, ...args.map(String)]
    const pinned = this.core === undefined ? words : ['taskset', '-c', String(this.core), ...words]
    const out = await run(pinned[0] ?? '', pinned.slice(1))
    const [operations = NaN, ns = NaN, bytes = NaN, loadNs = NaN] = out.trim().split(' ').map(Number)
    if (!Number.isFinite(operations + ns + bytes + loadNs)) throw new Error(`load ${command}: unexpected output ${out}`)
    return { operations, ns, bytes, loadNs }
  }
}
