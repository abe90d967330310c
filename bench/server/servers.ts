/** The two servers, each as a program with a directory of its own. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { waitFor } from '../lib/command.js'
import type { PartOptions } from './program.js'

const NATS_PORT = 14_222

export interface Server {
  readonly address: string
  readonly serverKey: string
  readonly pid: number
  end(): Promise<void>
}

export interface ServerOptions {
  /** Its files lie in a new directory there. */
  readonly directory: string
  readonly trust: 'centralized' | 'distributed'
  readonly profileDir?: string | undefined
}

/** From `dist/`: built before. */
export async function startAtedb({ directory, trust, profileDir }: ServerOptions): Promise<Server> {
  const logs = await mkdtemp(join(directory, 'atedb-'))
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const words = [...profile, 'bin/atedb.js', '--no-auth', 'solo', logs, '--json', '-l', '127.0.0.1', '-p', '0']
  const child = spawn(process.execPath, [...words, '-t', trust], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  await waitFor('atedb', () => Promise.resolve(text.trimEnd().endsWith('}')), child)
  // Its own words: `atedb solo --json`.
  const started = JSON.parse(text) as { listening: string; serverKey: string; pid: number }
  const { serverKey, pid } = started
  return { address: `ws://${started.listening}/db`, serverKey, pid, end: () => end(child, logs) }
}

export async function startNats({ directory }: Pick<ServerOptions, 'directory'>): Promise<Server> {
  const store = await mkdtemp(join(directory, 'nats-'))
  const words = ['-js', '-sd', store, '-a', '127.0.0.1', '-p', String(NATS_PORT)]
  const child = spawn('nats-server', words, { stdio: 'ignore' })
  await waitFor('nats-server', answers, child)
  return { address: String(NATS_PORT), serverKey: '', pid: child.pid ?? 0, end: () => end(child, store) }
}

/** See `parts/floor-server.ts`. */
export async function startFloor(
  directory: string,
  { count, warmUp, bytes }: Pick<PartOptions, 'count' | 'warmUp' | 'bytes'>,
): Promise<Server> {
  const log = await mkdtemp(join(directory, 'floor-'))
  const file = fileURLToPath(new URL('./parts/floor-server.js', import.meta.url))
  const child = fork(file, [JSON.stringify({ directory: log, count, warmUp, bytes })])
  const [port] = (await once(child, 'message')) as unknown[]
  return { address: `ws://127.0.0.1:${String(port)}`, serverKey: '', pid: child.pid ?? 0, end: () => end(child, log) }
}

/** Kilobytes of memory. */
export async function residentKiB({ pid }: Server): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
}

async function answers(): Promise<boolean> {
  const socket = connect(NATS_PORT, '127.0.0.1')
  try {
    await once(socket, 'data')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function end(child: ChildProcess, directory: string): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'close')
  await rm(directory, { recursive: true })
}
