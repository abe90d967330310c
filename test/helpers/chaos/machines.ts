/** Machines that mount one chain of a real `atedb`, each with a way of its own to the server; all of them may be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type AtedbServer, startAtedb } from '../atedb-server.js'
import { type CliResult, type CliWorld, cliWorld, shell } from '../cli.js'
import { ChaosProxy } from './proxy.js'

const WORK = fileURLToPath(new URL('shared-work.js', import.meta.url))
const CHAIN = 'team'
/** Whoever has the turn compacts amid the faults. */
const COMPACTING = ['--compact-mode', 'size', '--compact-threshold-size', '1048576']
const HOST = ['-l', '127.0.0.1', '--no-auth', ...COMPACTING]

/** A server that is killed and comes back where it was. */
export class ChaosServer {
  readonly #t: Test
  readonly #world: CliWorld
  readonly #flags: readonly string[]
  #server: AtedbServer

  private constructor(t: Test, world: CliWorld, flags: readonly string[], server: AtedbServer) {
    this.#t = t
    this.#world = world
    this.#flags = flags
    this.#server = server
  }

  static async start(t: Test, world: CliWorld, flags: readonly string[] = []): Promise<ChaosServer> {
    const all = [...HOST, ...flags]
    return new ChaosServer(t, world, all, await startAtedb(t, world, all))
  }

  get port(): number {
    return this.#server.port
  }

  /** What it has told since it was started last. */
  messages(): string {
    return this.#server.messages()
  }

  async kill(): Promise<void> {
    await this.#server.end('SIGKILL')
  }

  async restart(): Promise<void> {
    this.#server = await startAtedb(this.#t, this.#world, [...this.#flags, '-p', String(this.#server.port)])
  }
}

/** What a machine was promised. */
export interface Promised {
  readonly files: string[]
  readonly lines: string[]
  readonly claims: string[]
}

export class Machine {
  readonly mount: string
  readonly proxy: ChaosProxy
  readonly promised: Promised = { files: [], lines: [], claims: [] }
  readonly #world: CliWorld
  readonly #number: number
  readonly #mode: string
  #worker: ChildProcess | undefined
  #workEnded: Promise<number | null> = Promise.resolve(0)

  constructor(world: CliWorld, number: number, mode: string, proxy: ChaosProxy) {
    this.#world = world
    this.#number = number
    this.#mode = mode
    this.proxy = proxy
    this.mount = world.path(`m${number}`)
  }

  get logs(): string {
    return this.#world.path(`logs-${this.#number}`)
  }

  async join(): Promise<CliResult> {
    const url = `ws://127.0.0.1:${this.proxy.port}/db`
    const place = ['--log-path', this.logs, '--passfile', this.#world.path('passfile')]
    const words = ['mount', this.mount, CHAIN, '-r', url, '--recovery-mode', this.#mode, '--json', ...place]
    const mounted = await this.#world.run(words)
    if (mounted.code !== 0) throw new Error(`machine ${this.#number}: ${mounted.stdout}${mounted.stderr}`)
    return mounted
  }

  async status(): Promise<Record<string, unknown>> {
    return (await this.#world.run(['status', this.mount, '--json'])).json()
  }

  /** As a machine that loses its power: nothing is said. */
  async kill(): Promise<void> {
    process.kill(Number((await this.status())['pid']), 'SIGKILL')
  }

  async leave(): Promise<CliResult> {
    return await this.#world.run(['umount', this.mount, '--json'])
  }

  work(seed: number): void {
    const words = [WORK, this.mount, String(this.#number), String(seed), this.#mode]
    const worker = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#worker = worker
    this.#workEnded = once(worker, 'exit').then(([code]) => code as number | null)
    const { files, lines, claims } = this.promised
    const lists = new Map([
      ['file', files],
      ['line', lines],
      ['claim', claims],
    ])
    createInterface({ input: worker.stdout }).on('line', (line) => {
      const [kind = '', what = ''] = line.split(' ')
      lists.get(kind)?.push(what)
    })
  }

  /** Its work's exit code. */
  async rest(): Promise<number | null> {
    this.#worker?.stdin?.end('.')
    return await this.#workEnded
  }

  end(): void {
    this.#worker?.kill('SIGKILL')
  }
}

export interface Team {
  readonly world: CliWorld
  readonly server: ChaosServer
  readonly machines: readonly Machine[]
}

/** A server and machines that have its chain mounted, with `kept`, `claims`, `tree` and `lines` in it. */
export async function teamOf(t: Test, modes: readonly string[], trust: string): Promise<Team> {
  const world = cliWorld(t)
  writeFileSync(world.path('passfile'), 'secret')
  const server = await ChaosServer.start(t, world, ['-t', trust])
  const machines: Machine[] = []
  t.teardown(async () => {
    for (const machine of machines) {
      machine.end()
      await machine.proxy.close()
    }
  })
  for (const [number, mode] of modes.entries()) {
    const machine = new Machine(world, number, mode, await ChaosProxy.to(() => server.port))
    machines.push(machine)
    await machine.join()
    if (number === 0) await shell(`cd ${machine.mount}; mkdir kept claims tree; touch lines`)
  }
  return { world, server, machines }
}
