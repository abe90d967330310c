/** Mounts of one chain of a real server, as several machines would have them, and a program on them that locks files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type AtedbServer, startAtedb } from './atedb-server.js'
import { ChaosProxy } from './chaos/proxy.js'
import { type CliResult, type CliWorld, cliWorld, runProgram } from './cli.js'
import { compiledProgram } from './compiled.js'

export interface ServedMounts {
  world: CliWorld
  server: AtedbServer
  /** The server is killed, and started again on the same chains. */
  restart: () => Promise<void>
  /** The way that machine has to the server. */
  way: (machine: string) => ChaosProxy
  /** Where it is mounted. */
  mount: (machine: string, ...flags: string[]) => Promise<string>
  tryMount: (machine: string, ...flags: string[]) => Promise<CliResult>
}

/** Runs a program in a process of its own: `ok`, or the name of the error that it tells. */
export async function tool(program: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await runProgram(program, args, { PATH: process.env['PATH'] ?? '', LANG: 'C' })
  if (code === 0) return 'ok'
  const names = {
    EIO: 'Input/output error',
    EROFS: 'Read-only file system',
    ENOENT: 'No such file',
    ETIMEDOUT: 'Connection timed out',
  }
  return Object.entries(names).find(([, text]) => stderr.includes(text))?.[0] ?? stderr
}

export async function servedMounts(t: Test, machines: readonly string[]): Promise<ServedMounts> {
  const world = cliWorld(t)
  const start = (): Promise<AtedbServer> => startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth'], world.path('served'))
  let server = await start()
  const restart = async (): Promise<void> => {
    await server.end('SIGKILL')
    server = await start()
  }
  const ways = new Map<string, ChaosProxy>()
  for (const machine of machines) {
    const proxy = await ChaosProxy.to(() => server.port)
    t.teardown(() => proxy.close())
    ways.set(machine, proxy)
  }
  const way = (machine: string): ChaosProxy => {
    const proxy = ways.get(machine)
    if (proxy === undefined) throw new Error(`no machine ${machine}`)
    return proxy
  }
  writeFileSync(world.path('passfile'), 'secret')
  const tryMount = (machine: string, ...flags: string[]): Promise<CliResult> => {
    const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
    const url = `ws://127.0.0.1:${way(machine).port}/db`
    return world.run(['mount', world.path(machine), 'team', '-r', url, ...place, ...flags])
  }
  const mount = async (machine: string, ...flags: string[]): Promise<string> => {
    const { code, stderr } = await tryMount(machine, ...flags)
    if (code !== 0) throw new Error(`mount ended with ${code}: ${stderr}`)
    return world.path(machine)
  }
  return {
    world,
    get server() {
      return server
    },
    restart,
    way,
    mount,
    tryMount,
  }
}

/** A process with one open file. */
export class Locker {
  readonly #child: ChildProcess
  readonly #lines: Interface

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child
    this.#lines = lines
  }

  static async open(t: Test, path: string): Promise<Locker> {
    const child = spawn('env', ['-i', compiledProgram('locker'), path], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    const locker = new Locker(child, createInterface({ input: child.stdout }))
    await once(locker.#lines, 'line')
    return locker
  }

  /** What it answers to a line. */
  async ask(line: string): Promise<string> {
    const answer = once(this.#lines, 'line')
    this.#child.stdin?.write(`${line}\n`)
    const [text] = (await answer) as [string]
    return text
  }

  /** Asks until that is the answer. */
  async until(line: string, wanted: string): Promise<void> {
    const until = performance.now() + 10_000
    while ((await this.ask(line)) !== wanted) {
      if (performance.now() > until) throw new Error(`${line} is never answered with ${wanted}`)
      await sleep(20)
    }
  }

  interrupt(): void {
    this.#child.kill('SIGUSR1')
  }

  /** Closes what it has open. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}
