/** The program `atedb` as a process of its own, in a world of its own. It is ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import type { Started } from '../../src/cli/atedb/serve-solo.js'
import { connect, type Connection, type ConnectOptions, parseServerKeyId } from '../../src/wire/index.js'
import type { CliWorld } from './cli.js'
import { clientOptions } from './wire.js'

export const ATEDB = fileURLToPath(new URL('../../bin/atedb.js', import.meta.url))

export interface AtedbServer {
  readonly started: Started
  readonly port: number
  readonly pid: number
  /** What it has told on standard error so far. */
  messages(): string
  /** Its exit code; undefined when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | undefined>
}

type Teardown = { teardown(action: () => Promise<void>): void }

/**
 * Resolves when it listens, on a free port of 127.0.0.1 unless told. Logs in `logs` of the world. Rejects with what it says. `within`
 * begins its command line.
 */
export async function startAtedb(
  t: Teardown,
  world: CliWorld,
  flags: readonly string[] = ['-l', '127.0.0.1'],
  logs = world.path('logs'),
  within: readonly string[] = [],
): Promise<AtedbServer> {
  const variables = Object.entries(world.environment).map(([name, value]) => `${name}=${value}`)
  const words = [ATEDB, 'solo', logs, '--json', ...(flags.includes('-p') ? [] : ['-p', '0']), ...flags]
  const line = [...variables, process.execPath, ...words]
  const child = spawn('env', ['-i', ...within, 'env', ...line], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let messages = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text))
  const started = await firstDocument(child, ended, () => messages)
  return {
    started,
    port: Number(/:(\d+)$/.exec(started.listening)?.[1]),
    pid: Number(child.pid),
    messages: () => messages,
    end: async (signal) => {
      child.kill(signal)
      await ended
      if (child.exitCode === null && child.signalCode !== signal)
        throw new Error(`ended by ${child.signalCode} instead of ${signal}: ${messages}`)
      return child.exitCode ?? undefined
    },
  }
}

/** What connections to it have agreed so far, when it was started with `-vv`. */
export function agreements(server: AtedbServer): { bits: number; format: string; isCompressed: boolean }[] {
  const lines = server.messages().split('\n').slice(0, -1)
  const all = lines.map((line) => JSON.parse(line) as ReturnType<typeof agreements>[number] & { message: string })
  return all.filter(({ message }) => message === 'connected')
}

export function agreedBits(server: AtedbServer): number[] {
  return agreements(server).map(({ bits }) => bits)
}

async function firstDocument(child: ChildProcess, ended: Promise<unknown>, said: () => string): Promise<Started> {
  let text = ''
  const told = new Promise<Started>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const document = text.trimEnd().endsWith('}') ? (JSON.parse(text) as Started | { error: unknown }) : undefined
      if (document !== undefined && !('error' in document)) resolve(document)
    })
  })
  const early = ended.then(() => Promise.reject(new Error(`exit code ${child.exitCode}: ${text}${said()}`)))
  return Promise.race([told, early])
}

/** A connection to it that knows its key. */
export async function dial(
  server: AtedbServer,
  options: Partial<ConnectOptions> = {},
  path = '/db',
  at = server.started.listening,
): Promise<Connection> {
  const transport = await dialWebSocket(`ws://${at}${path}`)
  const trust = { server: 'localhost', key: parseServerKeyId(server.started.serverKey) }
  return connect(transport, clientOptions({ trust, target: `localhost:${server.port}${path}`, ...options }))
}
