/** From the command line of `atedb solo` to what the server does. Reads no file, asks nobody. */
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { parseDnsServer } from '../../adapters/node/dns/dns-server.js'
import { SERVER_DIRECTORY, type ServerSettings } from '../../atedb/settings.js'
import { triggersOf } from '../../engine/chain/compaction/compaction-mode.js'
import { AteError } from '../../engine/error.js'
import type { WishedBits } from '../../wire/index.js'
import { parseServerUrl, type ServerAddress } from '../../wire/url.js'
import { AES_BITS, type AesBitsWord } from '../aes-bits.js'
import { type CompactionFlags, ownTriggers } from '../compaction-flags.js'
import { logLevel } from './log-level.js'

const DEFAULT_URL = 'ws://localhost:5000/db'
const DEFAULT_AUTH = 'ws://localhost:5001/auth'
/** All addresses of IPv6, which takes IPv4 too. */
const EVERYWHERE = '::'
const ROOTS_LOGS = '/opt/ate'
/** Of a user, in his home. */
const USERS_LOGS = 'ate'

/** As oclif parses them, and how often `-v` was given. */
export interface SoloFlags extends CompactionFlags {
  listen?: string | undefined
  port?: number | undefined
  url?: string | undefined
  'tls-cert'?: string | undefined
  'tls-key'?: string | undefined
  trust: 'centralized' | 'distributed'
  'wire-encryption'?: AesBitsWord | undefined
  'no-wire-encryption': boolean
  auth?: string | undefined
  'no-auth': boolean
  'server-key'?: string | undefined
  'nodes-list'?: string | undefined
  'node-id'?: number | undefined
  'dns-server'?: string | undefined
  'dns-sec'?: boolean | undefined
  'backup-path'?: string | undefined
  verbose: number
  debug: boolean
  'log-format'?: 'text' | 'json' | undefined
}

/** Who runs the program, and where its messages go. */
export interface Surroundings {
  environment: Readonly<Record<string, string | undefined>>
  home: string
  isRoot: boolean
  isTerminal: boolean
}

/** BAD_ARGUMENT for what does not go together; NOT_SUPPORTED for tcp://. */
/** Where the logs of a server are when nothing else is said. */
export function serverLogsPath(
  given: string | undefined,
  { home, isRoot }: Pick<Surroundings, 'home' | 'isRoot'>,
): string {
  return placeOf(given ?? (isRoot ? ROOTS_LOGS : join(home, USERS_LOGS)), home)
}

export function serverSettings(logsPath: string | undefined, flags: SoloFlags, around: Surroundings): ServerSettings {
  const logs = serverLogsPath(logsPath, around)
  const path = (given: string | undefined): string | undefined => given && placeOf(given, around.home)
  const tls = tlsOf(path(flags['tls-cert']), path(flags['tls-key']))
  return {
    logsPath: logs,
    url: urlOf(flags, tls !== undefined),
    host: checkAddress(flags.listen ?? EVERYWHERE, '--listen'),
    tls,
    trust: flags.trust,
    encryption: encryptionOf(flags),
    // Signatures say who may write: there is nothing to ask for.
    auth: flags['no-auth'] || flags.trust === 'distributed' ? undefined : checkAuth(flags.auth ?? DEFAULT_AUTH),
    identityFile: path(flags['server-key']) ?? join(logs, SERVER_DIRECTORY, 'identity'),
    backupPath: path(flags['backup-path']),
    compaction: triggersOf(ownTriggers(flags), undefined),
    nodes: {
      list: path(flags['nodes-list']),
      id: flags['node-id'],
      dnsServer: flags['dns-server'] && checkDnsServer(flags['dns-server']),
      dnsSec: flags['dns-sec'] === true,
    },
    log: {
      level: logLevel(flags, around.environment),
      format: flags['log-format'] ?? (around.isTerminal ? 'text' : 'json'),
    },
  }
}

/** A shell expands ~ only where it stands unquoted at the beginning of a word. */
function placeOf(path: string, home: string): string {
  if (path === '') throw new AteError('BAD_ARGUMENT', 'A path is empty.')
  return resolve(path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path)
}

function tlsOf(certificate: string | undefined, key: string | undefined): ServerSettings['tls'] {
  return certificate === undefined || key === undefined ? undefined : { certificate, key }
}

function urlOf({ url, port }: SoloFlags, hasTls: boolean): ServerAddress {
  const address = parseServerUrl(url ?? (hasTls ? DEFAULT_URL.replace('ws', 'wss') : DEFAULT_URL))
  if ((address.scheme === 'wss') !== hasTls) {
    const hint =
      'wss:// needs --tls-cert and --tls-key, and they need wss://. Behind a proxy that ends TLS it is ws:// here.'
    throw new AteError('BAD_ARGUMENT', `${address.scheme}:// and the certificate do not go together.`, { hint })
  }
  return { ...address, port: port ?? address.port }
}

/** Without brackets. */
function checkAddress(text: string, flag: string): string {
  const address = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0) return address
  throw new AteError(
    'BAD_ARGUMENT',
    `${flag} needs an IP address, such as 127.0.0.1 or ::1, not ${JSON.stringify(text)}.`,
  )
}

function checkDnsServer(text: string): string {
  parseDnsServer(text)
  return text
}

function checkAuth(url: string): string {
  parseServerUrl(url)
  return url
}

function encryptionOf(flags: SoloFlags): WishedBits {
  if (flags['no-wire-encryption']) return 0
  const bits = flags['wire-encryption']
  if (bits !== undefined) return AES_BITS[bits]
  return flags.trust === 'centralized' ? 128 : 0
}
