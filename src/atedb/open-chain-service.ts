/** The chains of a server. */
import type { Signer } from '../wire/index.js'
import type { ChainService } from './chain-service.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics.js'
import type { ServerSettings } from './settings.js'

export interface ServiceParts {
  readonly identity: Signer
  readonly metrics: Metrics
  readonly log: Log
}

export async function openChainService(settings: ServerSettings, { log }: ServiceParts): Promise<ChainService> {
  log.debug('chains are not served yet', { trust: settings.trust })
  return {
    serve: async (connection) => {
      await connection.closed
    },
    close: async () => undefined,
    problem: () => undefined,
  }
}
