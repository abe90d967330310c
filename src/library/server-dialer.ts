/** The way to the server of a chain: where it is, and which key it must have. Of several servers the one that has the chain. */
import { findServers, publishedKeys, type DnsOptions } from '../adapters/node/dns/find-servers.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { dialWebSocket } from '../adapters/node/web-socket/connect.js'
import { AteError, errorCode } from '../engine/error.js'
import { serversOfChain } from '../sync/servers-of-chain.js'
import {
  formatServerUrl,
  type KnownServers,
  type ServerAddress,
  type ServerKeyId,
  serverName,
  type ServerTrust,
  type Transport,
} from '../wire/index.js'

export interface ServerDialerOptions {
  server: ServerAddress
  /** Its name at the server. */
  chain: string
  dns?: DnsOptions | undefined
  /** The key that was given, and where others are remembered. */
  key?: ServerKeyId | undefined
  known?: KnownServers | undefined
}

export interface ServerDialer {
  /** An open transport to the first server that answers, in the order of the chain. CONNECTION_FAILED, TIMED_OUT, ABORTED. */
  dial(signal?: AbortSignal): Promise<Transport>
  /** What the server that was dialled last must prove. */
  readonly trust: ServerTrust
  /** It is the server that the chain belongs to: others have not to be believed that there is no such chain. */
  readonly isOwner: boolean
}

export function serverDialer({ server, chain, dns = {}, ...keys }: ServerDialerOptions): ServerDialer {
  const published = publishedKeys(server, dns)
  let name = serverName(server)
  let isOwner = true
  const dial = async (signal?: AbortSignal): Promise<Transport> => {
    const found = serversOfChain(nativeCrypto, chain, await findServers(server, { ...dns, signal }))
    let problem: unknown = new AteError('CONNECTION_FAILED', `There is no server ${serverName(server)}.`)
    for (const [at, { addresses, ...place }] of found.entries()) {
      try {
        // By the name that was given: certificates are for that.
        const transport = await dialWebSocket(formatServerUrl({ ...server, port: place.port }), { signal, addresses })
        // Each of several has a key of its own.
        name = serverName(place)
        isOwner = at === 0
        return transport
      } catch (error) {
        if (errorCode(error) === 'ABORTED') throw error
        problem = error
      }
    }
    throw problem
  }
  return {
    dial,
    get trust() {
      return { ...keys, server: name, published }
    },
    get isOwner() {
      return isOwner
    },
  }
}
