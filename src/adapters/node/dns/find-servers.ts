/**
 * From the address of a server to where it is, and to the keys that are published for it (`protocol.md`, 6 and 9). Nothing is
 * looked up for localhost and for addresses.
 */
import { getServers, lookup } from 'node:dns'
import { isIP, isIPv6 } from 'node:net'
import { AteError, errorCode } from '../../../engine/error.js'
import { parseServerKeyId, type PublishedKeys, type ServerAddress, type ServerKeyId } from '../../../wire/index.js'
import { type DnsServer, parseDnsServer } from './dns-server.js'
import type { DnsAnswer, DnsQuestion } from './packets.js'

export interface DnsOptions {
  /** `ADDRESS[:PORT]` of the DNS server to ask; without it those of the system, and its file of hosts. */
  dnsServer?: string | undefined
  /** Only what the DNS server says that it has validated counts. */
  dnsSec?: boolean | undefined
  /** For one question; the default is 5 seconds. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/** One server, and what to dial for it; none: the host as it is. */
export interface FoundServer {
  host: string
  port: number
  addresses: readonly string[]
}

type Place = Pick<ServerAddress, 'host' | 'port'>

const DEFAULT_TIMEOUT_MS = 5000
const MAX_SERVERS = 256

/** The servers of that name, in no order; at least one. CONNECTION_FAILED (no such name, not validated), TIMED_OUT, ABORTED. */
export async function findServers({ host, port }: Place, options: DnsOptions = {}): Promise<FoundServer[]> {
  if (isIP(host) !== 0 || isLocal(host)) return [{ host, port, addresses: [] }]
  const addresses = isFromSystem(options) ? await systemAddresses(host, options) : await askedAddresses(host, options)
  const [four, six] = [addresses.filter((one) => !isIPv6(one)), addresses.filter(isIPv6)]
  if (addresses.length === 0) throw new AteError('CONNECTION_FAILED', `There is no server named ${host}.`)
  // One of each is one server that can be reached both ways.
  if (four.length <= 1 && six.length <= 1) return [{ host, port, addresses }]
  const each = (four.length > 0 ? four : six).slice(0, MAX_SERVERS)
  return each.map((address) => ({ host: address, port, addresses: [address] }))
}

/**
 * What TXT records of `_atefs.HOST` say. Undefined for localhost and addresses. A DNS that does not answer publishes nothing,
 * unless its answers must be validated.
 */
export function publishedKeys({ host, port }: Place, options: DnsOptions = {}): PublishedKeys | undefined {
  if (isIP(host) !== 0 || isLocal(host)) return undefined
  const isValidated = options.dnsSec === true
  const keys = async (): Promise<readonly ServerKeyId[]> => {
    try {
      const { values } = await ask({ type: 'TXT', name: `_atefs.${host}` }, options)
      return values.flatMap((text) => keysIn(text, port))
    } catch (error) {
      if (isValidated || errorCode(error) === 'ABORTED') throw error
      return []
    }
  }
  return { isValidated, keys }
}

/** `atefs1 key=HEX [key=HEX] [port=N]`; other words are for later versions. */
export function keysIn(text: string, port: number): ServerKeyId[] {
  const [version, ...words] = text.trim().split(/ +/)
  if (version !== 'atefs1') return []
  const ports = words.flatMap((word) => /^port=(\d{1,5})$/.exec(word)?.[1] ?? [])
  if (ports.length > 0 && !ports.includes(String(port))) return []
  return words.flatMap((word) => {
    const [, hex] = /^key=([0-9a-f]{64})$/i.exec(word) ?? []
    return hex === undefined ? [] : [parseServerKeyId(hex.toLowerCase())]
  })
}

/** RFC 6761, 6.3. */
function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

function isFromSystem({ dnsServer, dnsSec }: DnsOptions): boolean {
  return dnsServer === undefined && dnsSec !== true
}

async function askedAddresses(name: string, options: DnsOptions): Promise<string[]> {
  const [four, six] = await Promise.all([ask({ type: 'A', name }, options), ask({ type: 'AAAA', name }, options)])
  return [...four.values, ...six.values]
}

async function ask(question: DnsQuestion, options: DnsOptions): Promise<DnsAnswer> {
  const { dnsServer, dnsSec, timeoutMs, signal } = options
  const servers: DnsServer[] = (dnsServer === undefined ? getServers() : [dnsServer]).map(parseDnsServer)
  const { askDns } = await import('./ask.js')
  const answer = await askDns(question, { servers, timeoutMs, signal })
  if (dnsSec !== true || answer.isValidated) return answer
  throw new AteError('CONNECTION_FAILED', `The DNS server has not validated its answer for ${question.name}.`, {
    hint: 'The name is not signed, or the DNS server does not verify signatures: ask one that does, best on this machine.',
  })
}

/** As every other program of this machine finds them. */
function systemAddresses(host: string, { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: DnsOptions): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      act()
    }
    const onAbort = (): void => settle(() => reject(new AteError('ABORTED', 'The name is not asked for any more.')))
    const timer = setTimeout(
      () => settle(() => reject(new AteError('TIMED_OUT', `Nobody says where ${host} is.`))),
      timeoutMs,
    )
    signal?.addEventListener('abort', onAbort)
    lookup(host, { all: true }, (cause, found) =>
      settle(() => {
        if (cause === null) resolve(found.map(({ address }) => address))
        else
          reject(
            new AteError('CONNECTION_FAILED', `There is no server named ${host} (${cause.code ?? 'unknown'}).`, {
              cause,
            }),
          )
      }),
    )
    if (signal?.aborted === true) onAbort()
  })
}
