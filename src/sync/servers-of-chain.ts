/**
 * Which of several servers has a chain: the same for whoever asks, client or server (`protocol.md`, 9). Rendezvous hashing:
 * each server draws a number for each chain, and the highest has it. So where a server comes or goes only its own chains move.
 */
import { compareBytes } from '../engine/bytes/compare.js'
import { LABELS } from '../engine/crypto/labels.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { type ServerAddress, serverName } from '../wire/index.js'

/** Where a server listens: an address, not a name, and without brackets. */
export type ServerPlace = Pick<ServerAddress, 'host' | 'port'>

/** The servers, each once, in the order in which they are asked for the chain: the first has it. */
export function serversOfChain<S extends ServerPlace>(
  crypto: Pick<CryptoProvider, 'sha256'>,
  chain: string,
  servers: readonly S[],
): S[] {
  const utf8 = new TextEncoder()
  const drawn = new Map(
    servers.map((server) => {
      const name = serverName(canonical(server))
      const number = crypto.sha256(LABELS.serverOfChain, utf8.encode(`${name} ${chain}`))
      return [name, { server, number }] as const
    }),
  )
  return [...drawn.values()].sort((a, b) => compareBytes(b.number, a.number)).map(({ server }) => server)
}

/** Addresses have several spellings. */
function canonical({ host, port }: ServerPlace): ServerPlace {
  if (!host.includes(':')) return { host: host.toLowerCase(), port }
  return { host: new URL(`ws://[${host}]/`).hostname.replace(/^\[|\]$/g, ''), port }
}
