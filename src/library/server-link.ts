/** The connections of a program to servers: one for each chain, for as long as that is open. */
import { join } from 'node:path'
import { parseDnsServer } from '../adapters/node/dns/dns-server.js'
import { deflate } from '../adapters/node/deflate.js'
import { KnownServersFile } from '../adapters/node/known-servers-file.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { RemoteLink } from '../client/index.js'
import { type BackoffOptions, type ChainAddress, parseServerKeyId, targetOf } from '../wire/index.js'
import type { AteConfigOptions } from './config.js'
import { serverDialer } from './server-dialer.js'
import { FORMATS, formatNamed } from '../wire/format.js'
import type { WireOptions } from '../wire/options.js'

export interface ServerLink {
  readonly link: RemoteLink
  /** False while another server than that of the chain answers in its stead: that may not know of it. */
  readonly isOwner: () => boolean
}

/** Begins to connect to the server of a chain. BAD_FORMAT for a `serverKey` that is none, BAD_ARGUMENT for such a `dnsServer` or `wireFormat`. */
export function linkTo(
  { server, chain }: ChainAddress,
  options: Readonly<AteConfigOptions>,
  backoff: BackoffOptions = {},
): ServerLink {
  const { serverKey, knownServers, dnsServer, dnsSec } = options
  if (dnsServer !== undefined) parseDnsServer(dnsServer)
  const known = new KnownServersFile(knownServers ?? join(standardPaths(process.env).logs, 'known-servers'))
  const key = serverKey === undefined ? undefined : parseServerKeyId(serverKey)
  const dialer = serverDialer({ server, chain, dns: { dnsServer, dnsSec }, key, known })
  const target = targetOf(server)
  const wishes = wireWishes(options)
  const link = new RemoteLink({
    server: target,
    backoff,
    dial: (signal) => dialer.dial(signal),
    wire: () => ({ crypto: nativeCrypto, ...wishes, target, trust: dialer.trust }),
  })
  return { link, isOwner: () => dialer.isOwner }
}

/** What this side wishes of the wire. Both formats are taken, the one that was named first. */
function wireWishes(options: Readonly<AteConfigOptions>): Pick<WireOptions, 'encryption' | 'compressions' | 'formats'> {
  const { wireEncryption, wireCompression = false, wireFormat } = options
  const preferred = wireFormat === undefined ? undefined : formatNamed(wireFormat)
  return {
    ...(wireEncryption === undefined ? {} : { encryption: wireEncryption }),
    ...(wireCompression ? { compressions: [deflate] } : {}),
    ...(preferred === undefined ? {} : { formats: [...new Set([preferred.name, ...FORMATS.map(({ name }) => name)])] }),
  }
}
