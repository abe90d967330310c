/**
 * Two machines of a network of their own: namespaces that have nothing but a wire between them, which can be pulled out. Nobody is
 * told of that: what is sent is gone, and no connection is refused. They end with the test.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { BIN, type CliResult, type CliWorld, runProgram } from './cli.js'

export interface NetworkMachine {
  readonly address: string
  /** What begins a command line that runs there. */
  readonly within: readonly [string, string]
  /** Runs `atefs ARGS` there. */
  run(world: CliWorld, args: readonly string[]): Promise<CliResult>
}

export interface Network {
  readonly server: NetworkMachine
  readonly client: NetworkMachine
  /** The wire is pulled out at the server's end: what the client sends goes nowhere. */
  pull(): void
  plug(): void
  /** So many of a hundred packets of the client are lost from now on. False where the kernel cannot. */
  lose(percent: number): boolean
}

/** Why there can be none here; false: there can. Where all must be tested it throws instead, unless root is what lacks. */
function cannotNetwork(): string | false {
  if (process.getuid?.() !== 0) return 'only root can make a network namespace'
  const { status, stderr, error } = spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'wire', 'type', 'veth'])
  if (status === 0) return false
  const why = `a network namespace with a wire cannot be made: ${error?.message ?? String(stderr).trim()}`
  if (process.env['CI'] === 'true') throw new Error(why)
  return why
}

export const noNetwork = cannotNetwork()

type Teardown = { teardown(action: () => Promise<void>): void }

export async function network(t: Teardown): Promise<Network> {
  const [server, client] = [await namespace(t), await namespace(t)]
  const there = inNamespace(server)
  const here = inNamespace(client)
  demand(...there, 'ip', 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', String(client))
  const machineIn = (within: NetworkMachine['within'], address: string): NetworkMachine => {
    demand(...within, 'ip', 'address', 'add', `${address}/24`, 'dev', 'wire')
    demand(...within, 'ip', 'link', 'set', 'lo', 'up')
    demand(...within, 'ip', 'link', 'set', 'wire', 'up')
    const [program, namespace] = within
    const run: NetworkMachine['run'] = (world, args) =>
      runProgram(program, [namespace, process.execPath, BIN, ...args], world.environment)
    return { address, within, run }
  }
  return {
    server: machineIn(there, '10.9.8.1'),
    client: machineIn(here, '10.9.8.2'),
    pull: () => demand(...there, 'ip', 'link', 'set', 'wire', 'down'),
    plug: () => demand(...there, 'ip', 'link', 'set', 'wire', 'up'),
    lose: (percent) => ok(...here, 'tc', 'qdisc', 'replace', 'dev', 'wire', 'root', 'netem', 'loss', `${percent}%`),
  }
}

/** The process that holds it. */
async function namespace(t: Teardown): Promise<number> {
  const child = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const { pid } = child
  if (pid === undefined) throw new Error('unshare does not start')
  const of = (process: number | 'self'): string => readlinkSync(`/proc/${process}/ns/net`)
  while (of(pid) === of('self')) await new Promise((resolve) => setTimeout(resolve, 5))
  return pid
}

/** The file systems are those of everybody: what is mounted there is seen here. */
function inNamespace(pid: number): readonly [string, string] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`]
}

function demand(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`)
}

function ok(program: string, ...words: readonly string[]): boolean {
  return spawnSync(program, words).status === 0
}
