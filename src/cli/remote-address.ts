/** Which chain of which server the command line of `mount` means. */
import { join, resolve } from 'node:path'
import { chainNameOf } from '../adapters/node/chain-name.js'
import { chainUrl, replicaDirectory } from '../library/replica-places.js'
import { DEFAULT_RECOVERY_MODE, type RecoveryMode } from '../client/recovery-mode.js'
import type { RemoteRequest } from '../fs/daemon/remote-request.js'
import { type ChainAddress, parseChainUrl } from '../wire/url.js'
import { AES_BITS, type AesBitsWord } from './aes-bits.js'

/** With a chain behind the server and its service. */
const CHAIN_URL = /^[^:]+:\/\/[^/]+\/[^/]+\/[^/]/

/** The chain is named in the URL, or beside it, or as the mountpoint. BAD_ARGUMENT, NOT_SUPPORTED. */
export function remoteAddress(
  url: string | undefined,
  mountpoint: string,
  chain: string | undefined,
): ChainAddress | undefined {
  if (url === undefined) return undefined
  if (chain !== undefined) return parseChainUrl(url, chain)
  return CHAIN_URL.test(url) ? parseChainUrl(url) : parseChainUrl(url, chainNameOf(resolve(mountpoint)))
}

export function directoryOf(logPath: string, chain: string, address: ChainAddress | undefined): string {
  return address === undefined ? join(logPath, chain) : replicaDirectory(logPath, address)
}

interface RemoteFlags {
  'recovery-mode'?: RecoveryMode | undefined
  'server-key'?: string | undefined
  'dns-server'?: string | undefined
  'dns-sec'?: boolean | undefined
  'wire-encryption'?: AesBitsWord | undefined
  'no-wire-encryption'?: boolean | undefined
  'wire-compression'?: boolean | undefined
  'no-create': boolean
}

export function remoteRequest(address: ChainAddress, flags: RemoteFlags, stateDirectory: string): RemoteRequest {
  return {
    url: chainUrl(address),
    recoveryMode: flags['recovery-mode'] ?? DEFAULT_RECOVERY_MODE,
    serverKey: flags['server-key'],
    dnsServer: flags['dns-server'],
    dnsSec: flags['dns-sec'],
    wire: wireOf(flags),
    knownServers: join(stateDirectory, 'known-servers'),
    noCreate: flags['no-create'],
  }
}

function wireOf(flags: RemoteFlags): RemoteRequest['wire'] {
  const { 'wire-encryption': bits, 'no-wire-encryption': isOff = false, 'wire-compression': isCompressed } = flags
  return {
    ...(bits === undefined ? {} : { wireEncryption: AES_BITS[bits] }),
    ...(isOff ? { wireEncryption: 0 as const } : {}),
    ...(isCompressed === true ? { wireCompression: true } : {}),
  }
}
