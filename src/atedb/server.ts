/** A server from its settings: what listens, who may come in, what is answered, and how it ends. */
import { join } from 'node:path'
import { lockChain } from '../adapters/node/chain-lock.js'
import { deflate } from '../adapters/node/deflate.js'
import { fileError } from '../adapters/node/file-error.js'
import { makeDirectory } from '../adapters/node/make-directory.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { AteError, errorCode } from '../engine/error.js'
import { type AcceptOptions, type ServerKeyId, serverKeyId, type Signer } from '../wire/index.js'
import { checkTarget } from './check-target.js'
import { Closers } from './closers.js'
import { FrontDoor } from './front-door.js'
import { HandshakeGate } from './handshake-gate.js'
import { answerHttp } from './http-endpoints.js'
import { listenEverywhere } from './listen-everywhere.js'
import type { Log } from './log.js'
import { Metrics } from './metrics.js'
import { openChainService } from './open-chain-service.js'
import { processMetrics } from './process-metrics.js'
import { readPem } from './read-pem.js'
import { IDENTITY, loadOrMakeSecret } from './secret-file.js'
import { SERVER_DIRECTORY, type ServerSettings } from './settings.js'
import { SigningThread } from './signing-thread.js'
import { SocketLimit } from './socket-limit.js'
import { VerifyingThread } from './verifying-thread.js'
import type { VerifySignature } from '../engine/log/verify-signatures.js'

export interface RunningServer {
  readonly key: ServerKeyId
  /** What is bound. */
  readonly address: string
  readonly port: number
  /** Resolves with the reason when it cannot go on, never otherwise. */
  readonly failed: Promise<AteError>
  /** Everything that was acknowledged is durable when it resolves. */
  close(): Promise<void>
}

/** CHAIN_LOCKED when another server has the logs; CONNECTION_FAILED when the address cannot be bound; as `loadOrMakeSecret`. */
export async function startServer(settings: ServerSettings, log: Log): Promise<RunningServer> {
  const closers = new Closers()
  try {
    return await start(settings, log, closers)
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function start(settings: ServerSettings, log: Log, closers: Closers): Promise<RunningServer> {
  const tls = settings.tls && { certificate: readPem(settings.tls.certificate), key: readPem(settings.tls.key) }
  lockLogs(settings.logsPath, closers)
  const { identity, verify, failed } = startThreads(settings.identityFile, log, closers)
  const metrics = new Metrics()
  processMetrics(metrics)
  const service = await openChainService(settings, { identity, verify, metrics, log })
  closers.add(() => service.close())
  const gate = new HandshakeGate()
  const sockets = new SocketLimit()
  const door = new FrontDoor({
    gate,
    accepting: acceptOptions(settings, identity),
    service,
    log,
    opened: metrics.counter('atefs_connections_total', 'Connections whose handshake was done.'),
    failed: metrics.counter('atefs_handshakes_failed_total', 'Connections that did not come about.'),
  })
  metrics.gauge('atefs_connections', 'Connections that are open.', () => door.connections)
  metrics.gauge('atefs_sockets', 'TCP connections that are open.', () => sockets.open)
  metrics.counted(
    'atefs_sockets_refused_total',
    'TCP connections above the limit of an address.',
    () => sockets.refused,
  )
  metrics.gauge('atefs_handshakes', 'Handshakes that are under way.', () => gate.underWay)
  metrics.gauge('atefs_handshakes_waiting', 'Connections that wait for their handshake.', () => gate.waiting)
  let isStopping = false
  const health = { problem: async () => (isStopping ? 'stopping' : await service.problem()) }
  const listener = await listenEverywhere({
    host: settings.host,
    port: settings.url.port,
    tls,
    admit: (address, onGone) => sockets.admit(address, onGone),
    onTransport: (transport, visitor) => door.receive(transport, visitor),
    onRequest: (request, response) => void answerHttp(request, response, health, metrics),
  })
  // Nobody new first, then goodbye to those there; what they sent is durable when the chains are closed.
  closers.add(async () => {
    isStopping = true
    const released = listener.close()
    await door.close()
    await released
  })
  const { address, port } = listener
  return { key: serverKeyId(nativeCrypto, identity), address, port, failed, close: () => closers.close() }
}

function lockLogs(logsPath: string, closers: Closers): void {
  const directory = join(logsPath, SERVER_DIRECTORY)
  try {
    makeDirectory(directory, 0o700)
    const lock = lockChain(directory, { readOnly: false })
    closers.add(async () => {
      lock.finish()
      lock.release()
    })
  } catch (error) {
    if (errorCode(error) === 'CHAIN_LOCKED') {
      const hint = 'Give this one a directory of its own.'
      throw new AteError('CHAIN_LOCKED', `Another server has ${logsPath}.`, { hint, cause: error })
    }
    throw fileError('use', `${logsPath} for the logs`, error)
  }
}

function startThreads(
  file: string,
  log: Log,
  closers: Closers,
): { identity: SigningThread; verify: VerifySignature; failed: Promise<AteError> } {
  let fail: (error: AteError) => void = () => undefined
  const failed = new Promise<AteError>((resolve) => (fail = resolve))
  const seed = loadOrMakeSecret(file, IDENTITY)
  const ended = (error: AteError): void => {
    log.error('a thread that signs or verifies has ended', { reason: error.message })
    fail(error)
  }
  const identity = new SigningThread(seed, ended)
  seed.fill(0)
  closers.add(() => identity.close())
  const verifying = new VerifyingThread(ended)
  closers.add(() => verifying.close())
  return { identity, verify: verifying.verify, failed }
}

function acceptOptions({ encryption, url }: ServerSettings, identity: Signer): AcceptOptions {
  return {
    crypto: nativeCrypto,
    identity,
    encryption,
    compressions: [deflate],
    checkTarget: (target) => checkTarget(target, url.path),
  }
}
