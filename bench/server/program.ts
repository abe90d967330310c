/** The parts of a load as programs of their own, and what is said between them and the benchmark. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a part is told when it begins. */
export interface PartOptions {
  /** `ws://host:port/db`, or the port of nats-server. */
  readonly address: string
  /** 64 hexadecimal digits, or nothing. */
  readonly serverKey: string
  readonly trust: 'centralized' | 'distributed'
  /** Of the copy of the chain; undefined: in memory. */
  readonly directory?: string
  /** Messages of one writer. */
  readonly count: number
  /** Messages before them, which are not timed. */
  readonly warmUp: number
  readonly bytes: number
  readonly inFlight: number
  /** In one program. */
  readonly subscribers: number
}

/** What a part says when it is done. */
export interface PartResult {
  /** From the first message that is timed until the last was acknowledged, or came. */
  readonly seconds: number
  /** From the commit until it was seen, in milliseconds, if that was looked at. */
  readonly delays?: readonly number[]
}

export type PartName =
  'atefs-writer' | 'atefs-reader' | 'atefs-followers' | 'floor-writer' | 'floor-reader' | 'nats-writer' | 'nats-readers'

export class Part {
  readonly #child: ChildProcess
  #heard: unknown[] = []
  #resume: (() => void) | undefined

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message) => {
      this.#heard.push(message)
      this.#resume?.()
    })
    child.on('exit', () => this.#resume?.())
  }

  /** Resolves when it is ready. */
  static async start(name: PartName, options: PartOptions, profileDir?: string): Promise<Part> {
    const execArgv = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
    const file = fileURLToPath(new URL(`./parts/${name}.js`, import.meta.url))
    const part = new Part(fork(file, [JSON.stringify(options)], { execArgv }))
    await part.#next()
    return part
  }

  /** Has it do its work; resolves when that is done. */
  async run(): Promise<PartResult> {
    this.#child.send('go')
    // Both sides are this program.
    const result = (await this.#next()) as PartResult
    this.#child.send('end')
    await once(this.#child, 'exit')
    return result
  }

  async #next(): Promise<unknown> {
    while (this.#heard.length === 0) {
      if (this.#child.exitCode !== null) throw new Error(`a part of the load ended (${this.#child.exitCode})`)
      await new Promise<void>((resolve) => (this.#resume = resolve))
    }
    return this.#heard.shift()
  }
}

/** In a part: gets ready, waits for the word, works, and ends. */
export async function bePart(prepare: (options: PartOptions) => Promise<() => Promise<PartResult>>): Promise<void> {
  // What `Part.start` gave it.
  const work = await prepare(JSON.parse(process.argv[2] ?? '{}') as PartOptions)
  process.send?.('ready')
  await once(process, 'message')
  process.send?.(await work())
  await once(process, 'message')
  process.exit()
}

export function seconds(sinceMs: number): number {
  return (performance.now() - sinceMs) / 1000
}
