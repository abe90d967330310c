/**
 * Addresses of servers and chains. The first part of a path says which of a server's services is meant (`/db`); what follows
 * is the name of a chain, which may have parts itself: `ws://server:5000/db/example.org/anna/notes`.
 */
import { AteError } from '../engine/error.js'

/** As everywhere on the web. The commands say their ports (5000, 5001) in their default addresses. */
const DEFAULT_PORTS = { ws: 80, wss: 443 } as const
const MAX_URL_LENGTH = 2048
const MAX_PART_BYTES = 255

type Scheme = keyof typeof DEFAULT_PORTS

export interface ServerAddress {
  readonly scheme: Scheme
  /** In lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** `/db`, or `/` when there is none. */
  readonly path: string
}

export interface ChainAddress {
  readonly server: ServerAddress
  /** Parts joined by `/`. Safe as a relative path of files. */
  readonly chain: string
}

/** The address of a server: at most one part of path. BAD_ARGUMENT; NOT_SUPPORTED for `tcp:`, which the original had. */
export function parseServerUrl(url: string): ServerAddress {
  const { server, parts } = split(url)
  if (parts.length === 0) return server
  throw new AteError('BAD_ARGUMENT', `${url} names a chain; only a server is wanted here.`)
}

/** The address of a chain whose name is in the URL, beside it, or begins there and ends beside it. As `parseServerUrl`. */
export function parseChainUrl(url: string, name = ''): ChainAddress {
  const { server, parts } = split(url)
  const all = [...parts, ...partsOf(name, (part) => part)]
  if (all.length > 0) return { server, chain: all.join('/') }
  throw new AteError('BAD_ARGUMENT', `${url} names no chain.`, {
    hint: 'Write it behind: ws://server:5000/db/mychain.',
  })
}

/** `host:port`: what keys of servers are remembered under. */
export function serverName({ host, port }: Pick<ServerAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What a client tells to have dialled. */
export function targetOf(server: ServerAddress): string {
  return `${serverName(server)}${server.path}`
}

export function formatServerUrl(server: ServerAddress): string {
  return `${server.scheme}://${serverName(server)}${server.path}`
}

function split(url: string): { server: ServerAddress; parts: string[] } {
  const [, scheme = '', authority = '', path = ''] = /^([a-z][a-z\d+.-]*):\/\/([^/?#@\s]+)(\/[^?#]*)?$/i.exec(url) ?? []
  if (scheme.toLowerCase() === 'tcp') {
    throw new AteError('NOT_SUPPORTED', 'Servers are not reached by tcp:// but by WebSockets.', {
      hint: `Write ${url.replace(/^tcp/i, 'ws')}, or wss:// for TLS.`,
    })
  }
  if (url.length > MAX_URL_LENGTH || !isScheme(scheme.toLowerCase())) throw bad(url)
  const parsed = parseAuthority(url, scheme, authority)
  const [service, ...parts] = partsOf(path, decoded)
  return { server: { ...parsed, path: service === undefined ? '/' : `/${encodeURIComponent(service)}` }, parts }
}

function parseAuthority(url: string, scheme: string, authority: string): Omit<ServerAddress, 'path'> {
  const name = scheme.toLowerCase()
  let parsed: URL
  try {
    parsed = new URL(`${name}://${authority}/`)
  } catch (cause) {
    throw bad(url, cause)
  }
  if (!isScheme(name)) throw bad(url)
  const port = parsed.port === '' ? DEFAULT_PORTS[name] : Number(parsed.port)
  if (port === 0 || authority.endsWith(':')) throw bad(url)
  return { scheme: name, host: parsed.hostname.replace(/^\[|\]$/g, ''), port }
}

/** Names become files at a server: what leads elsewhere, or cannot be said in a terminal, is refused. */
function partsOf(path: string, decode: (part: string) => string): string[] {
  const inner = path.replace(/^\//, '').replace(/\/$/, '')
  if (inner === '') return []
  return inner.split('/').map((each) => {
    const part = decode(each)
    const isBad = /^(|\.|\.\.|~.*)$/.test(part) || /[\p{Cc}/\\]/u.test(part)
    if (!isBad && new TextEncoder().encode(part).length <= MAX_PART_BYTES) return part
    throw new AteError('BAD_ARGUMENT', `A chain cannot be named ${JSON.stringify(part.slice(0, 100))}.`)
  })
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw new AteError('BAD_ARGUMENT', `${JSON.stringify(part)} is no part of an address.`, { cause })
  }
}

function isScheme(scheme: string): scheme is Scheme {
  return Object.hasOwn(DEFAULT_PORTS, scheme)
}

function bad(url: string, cause?: unknown): AteError {
  return new AteError('BAD_ARGUMENT', `${JSON.stringify(url.slice(0, 200))} is no address of a server.`, {
    hint: 'Addresses look like ws://server:5000/db, or wss:// for TLS.',
    cause,
  })
}
