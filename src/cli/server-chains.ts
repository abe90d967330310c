/** Chains at a server, as it tells of them: nothing is opened, and no passphrase is needed. */
import { join } from 'node:path'
import { findServers, type DnsOptions } from '../adapters/node/dns/find-servers.js'
import { KnownServersFile } from '../adapters/node/known-servers-file.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { toHex } from '../engine/bytes/hex.js'
import { aeadKeyBytes, parseAeadSuite } from '../engine/crypto/suites.js'
import { type ServerDialer, serverDialer } from '../library/server-dialer.js'
import { type ChainList, type ListedChain, type Opened, Peer, type TrustMode } from '../sync/index.js'
import {
  connect,
  parseChainUrl,
  parseServerKeyId,
  parseServerUrl,
  type ServerAddress,
  targetOf,
} from '../wire/index.js'

export interface ServerFlags {
  'server-key'?: string | undefined
  'dns-server'?: string | undefined
  'dns-sec'?: boolean | undefined
}

export interface ServedChain {
  chain: string
  url: string
  chainId: string
  suite: string
  trust: TrustMode
  opensWith: 'passphrase' | 'key-file'
  headSequence: number
  headDigest: string
}

const ANSWER_MS = 10_000
/** Of one connection. */
const CONTROL_CHANNEL = 0

/** Those of all servers of that name. CONNECTION_FAILED, SERVER_KEY_CHANGED, TIMED_OUT, ... */
export async function listServedChains(url: string, flags: ServerFlags): Promise<ListedChain[]> {
  const server = parseServerUrl(url)
  const found = await findServers(server, dnsOf(flags))
  const chains: ListedChain[] = []
  for (const { host, port } of found) {
    const one = found.length > 1 ? { ...server, host, port } : server
    await withPeer(one, dialerOf(one, '', flags), async (peer) => {
      for (let after: string | undefined = ''; after !== undefined;) {
        const page: ChainList = await peer.request(CONTROL_CHANNEL, 'list', { after }, { timeoutMs: ANSWER_MS })
        chains.push(...page.chains)
        after = page.more ? page.chains.at(-1)?.chain : undefined
      }
    })
  }
  return chains.sort((a, b) => (a.chain < b.chain ? -1 : 1))
}

/** CHAIN_NOT_FOUND; else as `listServedChains`. */
export async function describeServedChain(url: string, flags: ServerFlags): Promise<ServedChain> {
  const { chain } = parseChainUrl(url)
  return await withServerOf(url, flags, async (peer) => {
    const { id, suite, trust, keyring, sequence, digest } = await openAt(peer, chain)
    return {
      chain,
      url,
      chainId: toHex(id),
      suite: `aes-${8 * aeadKeyBytes(parseAeadSuite(suite))}-gcm`,
      trust,
      opensWith: keyring === null ? 'key-file' : 'passphrase',
      headSequence: sequence,
      headDigest: toHex(digest),
    }
  })
}

/** A connection to the server of the chain that a URL names, for as long as `work` takes. */
export async function withServerOf<T>(url: string, flags: ServerFlags, work: (peer: Peer) => Promise<T>): Promise<T> {
  const { server, chain } = parseChainUrl(url)
  return await withPeer(server, dialerOf(server, chain, flags), work)
}

/** CHAIN_NOT_FOUND, OTHER_SERVER. */
export function openAt(peer: Peer, chain: string): Promise<Opened> {
  return peer.request(CONTROL_CHANNEL, 'open', { chain }, { timeoutMs: ANSWER_MS })
}

function dnsOf({ 'dns-server': dnsServer, 'dns-sec': dnsSec }: ServerFlags): DnsOptions {
  return { dnsServer, dnsSec }
}

function dialerOf(server: ServerAddress, chain: string, flags: ServerFlags): ServerDialer {
  const known = new KnownServersFile(join(standardPaths(process.env).logs, 'known-servers'))
  const given = flags['server-key']
  const key = given === undefined ? undefined : parseServerKeyId(given)
  return serverDialer({ server, chain, dns: dnsOf(flags), known, key })
}

async function withPeer<T>(server: ServerAddress, dialer: ServerDialer, work: (peer: Peer) => Promise<T>): Promise<T> {
  const transport = await dialer.dial()
  const target = targetOf(server)
  const peer = new Peer(await connect(transport, { crypto: nativeCrypto, target, trust: dialer.trust }))
  try {
    return await work(peer)
  } finally {
    await peer.close()
  }
}
