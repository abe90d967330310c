/** Runs a server in this process until a signal ends it. */
import { totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { isMemoryAmple } from '../../atedb/ample-memory.js'
import type { Log } from '../../atedb/log.js'
import type { RunningServer } from '../../atedb/server.js'
import type { ServerSettings } from '../../atedb/settings.js'
import { AteError } from '../../engine/error.js'
import { formatServerUrl, serverName } from '../../wire/url.js'
import { EXIT } from '../exit-codes.js'

const SLOW_STOP_MS = 1500

/** What is told when it listens. */
export interface Started {
  /** What clients dial, with the port that is bound. */
  url: string
  /** What is bound: `address:port`. */
  listening: string
  /** Names the identity key: what clients are given to know this server by. */
  serverKey: string
  logsPath: string
  trust: string
  wireEncryption: number
  pid: number
}

/** Resolves when it has ended and all is durable. */
export async function serveSolo(
  settings: ServerSettings,
  report: (started: Started, lines: readonly string[]) => void,
): Promise<void> {
  outliveTerminal()
  // What comes and goes lies in buffers, which live for a moment, and count as if the heap grew: left to itself the whole heap would be
  // marked for every 10 MB that are brought. So it may be four times what lives in it.
  if (isMemoryAmple(totalmem(), process.constrainedMemory())) setFlagsFromString('--heap-growing-percent=300')
  const [logs, { startServer }] = await Promise.all([import('../../atedb/log.js'), import('../../atedb/server.js')])
  const log = new logs.Log({ ...settings.log, write: (line) => void process.stderr.write(line) })
  const stopped = stopSignal()
  const server = await startServer(settings, log)
  const started = describe(settings, server)
  report(started, linesOf(started, settings))
  log.info('listening', { ...started })
  const end = await Promise.race([stopped, server.failed])
  if (typeof end === 'string') log.info('stopping', { signal: end })
  await tellingWhenSlow(log, server.close())
  if (typeof end !== 'string')
    throw new AteError('WRITE_FAILED', `The server cannot go on: ${end.message}`, { cause: end })
}

/** Nobody should wonder whether it hangs, and kill it. */
async function tellingWhenSlow(log: Log, closing: Promise<void>): Promise<void> {
  const why = 'stopping takes a while: what was brought is made durable, and whoever is connected is told'
  const timer = setTimeout(() => log.warn(why), SLOW_STOP_MS)
  await closing.finally(() => clearTimeout(timer))
}

/** The first SIGINT or SIGTERM. Another one does not wait for anything. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let signals = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      if (++signals > 1) process.exit(EXIT.INTERRUPTED)
      resolve(signal)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

/** Nobody may read any more what is said: no reason to drop everybody's chains. */
function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}

function describe(settings: ServerSettings, { key, address, port }: RunningServer): Started {
  return {
    url: formatServerUrl({ ...settings.url, port }),
    listening: serverName({ ...settings.url, host: address, port }),
    serverKey: key,
    logsPath: settings.logsPath,
    trust: settings.trust,
    wireEncryption: settings.encryption,
    pid: process.pid,
  }
}

function linesOf(started: Started, { auth }: ServerSettings): string[] {
  const { url, listening, serverKey, logsPath, trust, wireEncryption } = started
  const encryption = wireEncryption === 0 ? 'if the client wants it' : `at least ${wireEncryption} bits`
  return [
    `Serving ${url} on ${listening}, logs in ${logsPath}`,
    `Trust: ${trust}; wire encryption: ${encryption}`,
    `Server key: ${serverKey}`,
    ...(auth === undefined
      ? []
      : [`No chain can be made: there are no accounts yet. To let anybody: atedb --no-auth solo`]),
    'Ctrl-C stops it',
  ]
}
