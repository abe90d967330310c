/**
 * Who has locks of a chain, in a small file beside its log: after a restart only they may tell what they had, whoever else was
 * there before. The locks themselves are nowhere but in memory.
 */
import { decodeMessagePack, encodeMessagePack } from '../../engine/codec/message-pack.js'
import { bytesOf, fields, integer, listOf } from '../../engine/codec/shape.js'
import { errorCode } from '../../engine/error.js'
import type { LogStorage } from '../../engine/log/storage.js'
import { LEASE_BYTES, SESSION_BYTES } from '../../sync/limits.js'
import { LOCKS_NAME } from '../file-names.js'

const VERSION = 2
/** Sessions that have locks at the same time. */
export const MAX_LEASES = 4096
const MAX_BYTES = 64 + MAX_LEASES * (SESSION_BYTES + LEASE_BYTES + 32)

export type LeaseOfSession = { readonly session: Uint8Array; readonly lease: Uint8Array }
type Leases = { readonly version: number; readonly leases: readonly LeaseOfSession[] }

const leaseOfSession = fields<LeaseOfSession>({ session: bytesOf(SESSION_BYTES), lease: bytesOf(LEASE_BYTES) })
const shape = fields<Leases>({ version: integer(VERSION, VERSION), leases: listOf(leaseOfSession, MAX_LEASES) })

/** Undefined: nobody had any. Of a file that is damaged, or of an older version, nobody is known: all locks are lost. */
export async function loadLeases(storage: LogStorage): Promise<readonly LeaseOfSession[] | undefined> {
  try {
    const bytes = await storage.readSmall(LOCKS_NAME, MAX_BYTES)
    if (bytes === undefined) return undefined
    const { leases } = decodeMessagePack(bytes, MAX_BYTES, shape, 'locks')
    return leases.length === 0 ? undefined : leases
  } catch (error) {
    if (errorCode(error) !== 'BAD_FORMAT') throw error
    return []
  }
}

export async function saveLeases(storage: LogStorage, leases: readonly LeaseOfSession[]): Promise<void> {
  await storage.replaceSmall(LOCKS_NAME, encodeMessagePack({ version: VERSION, leases }))
}
