/** Where the copy of a chain of a server lies: below the `logPath`, or in memory. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ChainAddress, formatServerUrl, serverName } from '../wire/url.js'

const MAX_NAME_BYTES = 200

/** It names a chain of a server. */
export function isAddress(name: string): boolean {
  return name.includes('://')
}

/** The address of the chain, always written the same way. */
export function chainUrl({ server, chain }: ChainAddress): string {
  const base = formatServerUrl(server).replace(/\/$/, '')
  return `${base}/${chain.split('/').map(encodeURIComponent).join('/')}`
}

/** `<logPath>/<host:port>/<service and chain>`: no chain lies in the directory of another. */
export function replicaDirectory(logPath: string, address: ChainAddress): string {
  const name = encodeURIComponent(`${address.server.path.slice(1)}/${address.chain}`)
  const isShort = name.length <= MAX_NAME_BYTES
  const short = isShort ? name : createHash('sha256').update(name).digest('hex')
  return join(resolve(logPath), serverName(address.server), short)
}

/** A chain without a passphrase has its key in a file. */
export function hasKeyFile(directory: string | undefined): boolean {
  return directory !== undefined && existsSync(join(directory, 'key'))
}
