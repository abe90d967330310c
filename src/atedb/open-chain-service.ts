/** The chains of a server, which lie below its logs as the paths of URLs say. */
import { join } from 'node:path'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { ServerStores } from '../adapters/node/server-stores.js'
import type { VerifySignature } from '../engine/log/verify-signatures.js'
import { ChainServer, type ServerNotice } from '../server/index.js'
import type { Signer } from '../wire/index.js'
import { admission } from './admission.js'
import { CopiedStores } from './copied-stores.js'
import type { ChainService } from './chain-service.js'
import { DiskCheck } from './disk-check.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics.js'
import { nodeTable } from './node-table.js'
import { keepSecret, loadOrMakeSecret, STORAGE } from './secret-file.js'
import { serviceMetrics } from './service-metrics.js'
import { SERVER_DIRECTORY, type ServerSettings } from './settings.js'

export interface ServiceParts {
  readonly identity: Signer
  readonly verify: VerifySignature
  readonly metrics: Metrics
  readonly log: Log
}

/** As `nodeTable` and `loadOrMakeSecret`. */
export async function openChainService(settings: ServerSettings, parts: ServiceParts): Promise<ChainService> {
  const { logsPath, backupPath, compaction, trust, auth, url } = settings
  const table = await nodeTable(settings)
  const stores = new ServerStores(logsPath)
  const secret = loadOrMakeSecret(join(logsPath, SERVER_DIRECTORY, 'storage'), STORAGE)
  const copied = backupPath === undefined ? undefined : new CopiedStores(stores, logsPath, backupPath, parts.log)
  // Without it the copies could not be opened.
  if (backupPath !== undefined) keepSecret(join(backupPath, SERVER_DIRECTORY, 'storage'), STORAGE, secret)
  const server = new ChainServer({
    crypto: nativeCrypto,
    stores: copied ?? stores,
    storageSecret: secret,
    signer: parts.identity,
    verify: parts.verify,
    trust,
    compaction,
    keepsDropped: compaction.mode === 'never',
    admit: admission(auth, table),
    onNotice: (notice) => tell(parts.log, notice),
  })
  const disk = new DiskCheck(logsPath)
  serviceMetrics(parts.metrics, () => server.counts())
  const service = decodeURIComponent(url.path.slice(1))
  return {
    serve: async (connection) => {
      server.accept(connection, service)
      await connection.closed
    },
    close: async () => {
      await server.close()
      await copied?.settled()
    },
    problem: async () => {
      if (server.storageProblem !== undefined && (await disk.takesWrites())) server.noteStorageWorks()
      return server.storageProblem
    },
  }
}

function tell(log: Log, { level, message, chain, code }: ServerNotice): void {
  log[level](message, { chain, code })
}
